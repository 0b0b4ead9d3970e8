import { EngineError, type HostConfig, type Mount } from '@fairlead/protocol';
import { parseBind, PROPAGATIONS, type Propagation } from './bind-spec.ts';
import { invalidMount } from './invalid-mount.ts';
import { cleanPath, isAbsolute } from './paths.ts';
import { tmpfsMountText, tmpfsOptions } from './tmpfs-options.ts';
import { volumeOfBind, volumeOfMount, type VolumeRequest } from './volume-requests.ts';

/** One place in the container that the user put something at. Also what inspect's `Mounts` is made of. */
export type MountPoint = BindMountPoint | TmpfsMountPoint | VolumeMountPoint;

/** The same as it was asked for: volumes may still have to be made. */
export type AskedMount = BindMountPoint | TmpfsMountPoint | VolumeRequest;

export interface BindMountPoint {
  readonly kind: 'bind';
  readonly source: string;
  readonly target: string;
  /** Options as written in a `-v`; empty for `--mount`. */
  readonly mode: string;
  readonly readOnly: boolean;
  readonly propagation: Propagation;
  readonly nonRecursive: boolean;
  /** Mounts below a read-only bind: `force` refuses to start when they cannot be made read-only too. */
  readonly readOnlyBelow: 'if-possible' | 'never' | 'force';
  /** `create`: the engine makes a missing source directory. `must-exist`: its absence was an error at create. */
  readonly missingSource: 'create' | 'must-exist';
}

export interface TmpfsMountPoint {
  readonly kind: 'tmpfs';
  readonly target: string;
  readonly options: readonly string[];
  /** Whether it came as a `--mount` or as a `--tmpfs`; inspect lists only the first. */
  readonly origin: 'mount' | 'tmpfs';
}

export interface VolumeMountPoint {
  readonly kind: 'volume';
  readonly name: string;
  readonly target: string;
  /** As inspect shows it. */
  readonly mode: string;
  readonly readOnly: boolean;
  /** Nobody gave it a name: it goes with the container when that is removed with its volumes. */
  readonly anonymous: boolean;
}

/**
 * Everything HostConfig mounts, targets cleaned, in the order Binds, Mounts, Tmpfs.
 *
 * @throws EngineError 'invalid-argument' in Docker's words, `Duplicate mount point: /m` among them; 'not-implemented' for
 *   mounts of other types.
 */
export function askedMounts(hostConfig: HostConfig): readonly AskedMount[] {
  const points = [
    ...(hostConfig.Binds ?? []).map((text) => fromBind(text, hostConfig)),
    ...hostConfig.Mounts.map(fromMount),
    ...Object.entries(hostConfig.Tmpfs).map(([target, options]) => fromTmpfs(target, options)),
  ];
  const targets = new Set<string>();
  for (const { target } of points) {
    if (targets.has(target)) throw new EngineError('invalid-argument', `Duplicate mount point: ${target}`);
    targets.add(target);
  }
  return points;
}

/** Those of the mounts asked for that are no volumes: nothing has to be made for them. */
export function plainMounts(asked: readonly AskedMount[]): readonly (BindMountPoint | TmpfsMountPoint)[] {
  return asked.flatMap((mount) => (mount.kind === 'volume-request' ? [] : [mount]));
}

/** The host directories that must be made before the container starts, when they are not there. */
export function sourcesToCreate(points: readonly (MountPoint | AskedMount)[]): readonly string[] {
  return points.flatMap((point) => (point.kind === 'bind' && point.missingSource === 'create' ? [point.source] : []));
}

/** @throws EngineError 'invalid-argument' for the first `--mount` whose source `exists` denies. */
export async function checkBindSources(
  points: readonly (MountPoint | AskedMount)[],
  exists: (path: string) => Promise<boolean>,
): Promise<void> {
  for (const point of points) {
    if (point.kind !== 'bind' || point.missingSource === 'create' || (await exists(point.source))) continue;
    throw invalidMount('bind', `bind source path does not exist: ${point.source}`);
  }
}

function fromBind(text: string, hostConfig: HostConfig): BindMountPoint | VolumeRequest {
  const bind = parseBind(text);
  const isVolume = bind.source === undefined || !isAbsolute(bind.source);
  const type = isVolume ? 'volume' : 'bind';
  try {
    checkTarget(type, bind.target);
    const foreign = isVolume ? bind.propagation !== undefined : bind.mode.split(',').includes('nocopy');
    if (foreign) throw invalidMount(type, `field ${isVolume ? 'BindOptions' : 'VolumeOptions'} must not be specified`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('invalid-argument', `invalid volume specification: '${text}': ${reason}`, { cause });
  }
  if (bind.source === undefined || !isAbsolute(bind.source)) return volumeOfBind(bind, hostConfig);
  return {
    kind: 'bind',
    source: cleanPath(bind.source),
    target: cleanPath(bind.target),
    mode: bind.mode,
    readOnly: bind.readOnly,
    propagation: bind.propagation ?? 'rprivate',
    nonRecursive: false,
    readOnlyBelow: 'if-possible',
    missingSource: 'create',
  };
}

function fromMount(mount: Mount): AskedMount {
  checkTarget(mount.Type, mount.Target);
  switch (mount.Type) {
    case 'bind':
      return fromBindMount(mount);
    case 'tmpfs':
      return fromTmpfsMount(mount);
    case 'volume':
      return volumeOfMount(mount);
    case 'image':
      throw new EngineError(
        'not-implemented',
        `mounts of type ${JSON.stringify(mount.Type)} are not implemented yet: HostConfig.Mounts at ${mount.Target}`,
      );
    default:
      throw invalidMount(mount.Type, 'mount type unknown');
  }
}

function fromBindMount(mount: Mount): BindMountPoint {
  if (mount.Source === '') throw invalidMount(mount.Type, 'field Source must not be empty');
  const options = mount.BindOptions;
  const wanted = options?.Propagation ?? '';
  const propagation = wanted === '' ? 'rprivate' : PROPAGATIONS.find((candidate) => candidate === wanted);
  if (propagation === undefined) throw invalidMount(mount.Type, `invalid propagation mode: ${wanted}`);
  if (mount.VolumeOptions !== null) throw invalidMount(mount.Type, 'field VolumeOptions must not be specified');
  if (!isAbsolute(mount.Source)) throw invalidMount(mount.Type, notAbsolute(mount.Source));
  if (options?.ReadOnlyNonRecursive === true && options.ReadOnlyForceRecursive) {
    throw invalidMount(mount.Type, 'mount options conflict: "ReadOnlyNonRecursive" && "ReadOnlyForceRecursive"');
  }
  return {
    kind: 'bind',
    source: cleanPath(mount.Source),
    target: cleanPath(mount.Target),
    mode: '',
    readOnly: mount.ReadOnly,
    propagation,
    nonRecursive: options?.NonRecursive === true,
    readOnlyBelow: readOnlyBelow(options),
    missingSource: options?.CreateMountpoint === true ? 'create' : 'must-exist',
  };
}

function readOnlyBelow(options: Mount['BindOptions']): BindMountPoint['readOnlyBelow'] {
  if (options?.ReadOnlyForceRecursive === true) return 'force';
  return options?.ReadOnlyNonRecursive === true ? 'never' : 'if-possible';
}

function fromTmpfsMount(mount: Mount): TmpfsMountPoint {
  if (mount.BindOptions !== null) throw invalidMount(mount.Type, 'field BindOptions must not be specified');
  if (mount.VolumeOptions !== null) throw invalidMount(mount.Type, 'field VolumeOptions must not be specified');
  if (mount.Source !== '') throw invalidMount(mount.Type, 'field Source must not be specified');
  const options = tmpfsOptions(tmpfsMountText(mount));
  return { kind: 'tmpfs', target: cleanPath(mount.Target), options, origin: 'mount' };
}

function fromTmpfs(target: string, options: string): TmpfsMountPoint {
  if (!isAbsolute(target)) throw new EngineError('invalid-argument', notAbsolute(target));
  if (cleanPath(target) === '/') throw new EngineError('invalid-argument', TARGET_IS_ROOT);
  return { kind: 'tmpfs', target: cleanPath(target), options: tmpfsOptions(options), origin: 'tmpfs' };
}

const TARGET_IS_ROOT = "invalid specification: destination can't be '/'";

function checkTarget(type: string, target: string): void {
  if (target === '') throw invalidMount(type, 'field Target must not be empty');
  if (cleanPath(target) === '/') throw invalidMount(type, TARGET_IS_ROOT);
  if (!isAbsolute(target)) throw invalidMount(type, notAbsolute(target));
}

function notAbsolute(path: string): string {
  return `invalid mount path: '${path}' mount path must be absolute`;
}
