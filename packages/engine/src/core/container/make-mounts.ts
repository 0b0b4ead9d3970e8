import {
  EngineError,
  isEngineError,
  type ContainerConfig,
  type ContainerId,
  type HostConfig,
} from '@fairlead/protocol';
import type { AskedMount, MountPoint, VolumeMountPoint } from '../spec/mount-points.ts';
import { volumesOfConfig, type VolumeRequest, type VolumesFrom } from '../spec/volume-requests.ts';
import { createVolume } from '../volume/create.ts';
import { volumeMountOf } from '../volume/options.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import { mountPointsOf } from './mount-points.ts';

type MountDeps = Pick<ContainerDeps, 'directory' | 'volumes' | 'snapshots'>;

/** What a container that is being made is to have mounted. Its writable layer is there. */
export interface MakeMounts {
  readonly id: ContainerId;
  /** Merged with the image's. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly asked: readonly AskedMount[];
  readonly volumesFrom: readonly VolumesFrom[];
}

/**
 * Makes what a container's mounts need: volumes that are not there yet, and the first content of empty ones, which is what the
 * image has at their place. At one place, the container's own mount comes before one of `--volumes-from`, and that before an
 * anonymous volume.
 *
 * The volumes are held for `id` until the caller gives them free; anonymous ones are marked as made for it.
 * @throws EngineError in Docker's words.
 */
export async function makeMounts(deps: MountDeps, request: MakeMounts): Promise<readonly MountPoint[]> {
  const own = new Set(request.asked.map((mount) => mount.target));
  const others = inheritedMounts(deps, request.volumesFrom).filter((point) => !own.has(point.target));
  const taken = new Set([...own, ...others.map((point) => point.target)]);
  const asked = [...request.asked, ...volumesOfConfig(request.config, request.hostConfig, taken)];
  for (const point of others) if (point.kind === 'volume') await hold(deps, point.name, request.id);
  const points: MountPoint[] = [];
  const filling: VolumeMountPoint[] = [];
  for (const mount of asked) {
    if (mount.kind !== 'volume-request') {
      points.push(mount);
      continue;
    }
    const point = await makeVolume(deps, mount, request.id);
    points.push(point);
    if (mount.copy) filling.push(point);
  }
  await fillVolumes(deps, request.id, filling);
  return [...points, ...others];
}

/** The mounts of other containers, the last one winning at each place. */
function inheritedMounts(
  deps: Pick<ContainerDeps, 'directory'>,
  volumesFrom: readonly VolumesFrom[],
): readonly MountPoint[] {
  const points = new Map<string, MountPoint>();
  for (const { container, readOnly } of volumesFrom) {
    for (const point of mountPointsOf(otherContainer(deps, container).record)) {
      for (const copy of inherited(point, readOnly)) points.set(copy.target, copy);
    }
  }
  return [...points.values()];
}

/** `--tmpfs` ones are nobody else's. */
function inherited(point: MountPoint, readOnly: boolean): readonly MountPoint[] {
  if (point.kind === 'tmpfs') return point.origin === 'mount' ? [point] : [];
  return [{ ...point, mode: '', readOnly: point.readOnly || readOnly }];
}

/** Not 'not-found': a client takes that, as the answer to a create, for a missing image and pulls it. */
function otherContainer(deps: Pick<ContainerDeps, 'directory'>, ref: string): ContainerActor {
  try {
    return deps.directory.resolve(ref);
  } catch (cause) {
    if (isEngineError(cause)) throw new EngineError('invalid-argument', cause.message, { cause });
    throw cause;
  }
}

async function hold({ volumes }: Pick<ContainerDeps, 'volumes'>, name: string, holder: ContainerId): Promise<void> {
  await volumes.directory.exclusive(name, async () => {
    volumes.directory.resolve(name);
    volumes.directory.hold(name, holder);
  });
}

async function makeVolume(
  { volumes }: Pick<ContainerDeps, 'volumes'>,
  request: VolumeRequest,
  holder: ContainerId,
): Promise<VolumeMountPoint> {
  const { driver, driverOptions: options, labels, target, mode, readOnly } = request;
  try {
    const { name } = await createVolume(volumes, { name: request.name, driver, options, labels, holder });
    return { kind: 'volume', name, target, mode, readOnly, anonymous: request.name === '' };
  } catch (cause) {
    // As above: an unknown driver is no missing image.
    if (isEngineError(cause) && cause.kind === 'not-found') {
      throw new EngineError('invalid-argument', cause.message, { cause });
    }
    throw cause;
  }
}

async function fillVolumes(
  { volumes, snapshots }: Pick<ContainerDeps, 'volumes' | 'snapshots'>,
  id: ContainerId,
  points: readonly VolumeMountPoint[],
): Promise<void> {
  if (points.length === 0) return;
  await using undo = new AsyncDisposableStack();
  undo.defer(() => snapshots.unmount(id));
  const rootPath = await snapshots.mount(id);
  const { directory, store } = volumes;
  for (const { name, target } of points) {
    await directory.exclusive(name, async () => {
      const mount = volumeMountOf(directory.resolve(name).options);
      const inUse = mount !== undefined || directory.isNeeded(name);
      await using mounted = new AsyncDisposableStack();
      if (mount !== undefined) {
        await store.mount(name, mount);
        if (!directory.isNeeded(name)) mounted.defer(() => store.unmount(name));
      }
      await store.fill(name, { rootPath, path: target, inUse });
    });
  }
}
