import { isEngineError, type ContainerId } from '@fairlead/protocol';
import type { VolumeDeps } from '../volume/deps.ts';
import { volumeMountOf } from '../volume/options.ts';
import { LOCAL_DRIVER } from '../volume/record.ts';
import { removeVolume } from '../volume/remove.ts';
import type { VolumeUser } from '../volume/user.ts';
import type { VolumeMountPoint } from '../spec/mount-points.ts';
import type { ContainerActor } from './actor.ts';
import { mountPointsOf, volumeNamesOf } from './mount-points.ts';
import type { ContainerRecord } from './record.ts';

/** A container, as volumes see it. */
export function volumeUserOf({ id, record, state }: ContainerActor): VolumeUser {
  const isUp = state.status === 'running' || state.status === 'starting';
  return { containerId: id, isUp, volumeNames: volumeNamesOf(record) };
}

/**
 * Before a start: mounts what the container's volumes mount, and announces their use. May be repeated.
 * @throws EngineError 'not-found' when a volume is gone, 'internal' when it cannot be mounted.
 */
export async function mountVolumes(deps: VolumeDeps, record: ContainerRecord): Promise<void> {
  const points = volumePointsOf(record);
  for (const { name } of points) {
    await deps.directory.exclusive(name, async () => {
      const mount = volumeMountOf(deps.directory.resolve(name).options);
      if (mount !== undefined) await deps.store.mount(name, mount);
    });
  }
  for (const { name, target, readOnly } of points) {
    announce(
      deps,
      { action: 'mount', name, id: record.id },
      {
        destination: target,
        propagation: '',
        'read/write': String(!readOnly),
      },
    );
  }
}

/** After a run or a failed start: unmounts what no other container needs. May be repeated. */
export async function unmountVolumes(deps: VolumeDeps, record: ContainerRecord): Promise<void> {
  for (const { name } of volumePointsOf(record)) {
    announce(deps, { action: 'unmount', name, id: record.id });
    await deps.directory.exclusive(name, async () => {
      const mount = volumeMountOf(deps.directory.get(name)?.options ?? null);
      if (mount !== undefined && !deps.directory.isNeeded(name, record.id)) await deps.store.unmount(name);
    });
  }
}

/** At the removal of a container with its volumes: those that nobody named, and nobody else uses. May be repeated. */
export async function removeAnonymousVolumes(deps: VolumeDeps, record: ContainerRecord): Promise<void> {
  for (const { name, anonymous } of volumePointsOf(record)) {
    if (!anonymous) continue;
    try {
      await removeVolume(deps, name, { force: true, user: record.id });
    } catch (error) {
      // Another container has it by --volumes-from: its removal may take the volume along.
      if (!isEngineError(error) || error.kind !== 'conflict') throw error;
    }
  }
}

/** The container is made: what was made for it stays. */
export function settleVolumes({ directory }: Pick<VolumeDeps, 'directory'>, id: ContainerId): void {
  for (const { madeFor, ...record } of directory.all()) if (madeFor === id) directory.save(record);
}

/** The container will not be made after all: what was made for it goes. Named volumes stay, as in Docker. */
export async function removeUnsettledVolumes(deps: VolumeDeps, id: ContainerId): Promise<void> {
  for (const { name, madeFor } of deps.directory.all()) {
    if (madeFor === id) await removeVolume(deps, name, { force: true, user: id });
  }
}

function volumePointsOf(record: ContainerRecord): readonly VolumeMountPoint[] {
  return mountPointsOf(record).flatMap((point) => (point.kind === 'volume' ? [point] : []));
}

function announce(
  { publish }: Pick<VolumeDeps, 'publish'>,
  about: { readonly action: 'mount' | 'unmount'; readonly name: string; readonly id: ContainerId },
  attributes: Readonly<Record<string, string>> = {},
): void {
  const { action, name, id } = about;
  publish({
    type: 'volume',
    action,
    actorId: name,
    attributes: { container: id, driver: LOCAL_DRIVER, ...attributes },
  });
}
