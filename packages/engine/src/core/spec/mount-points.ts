import { EngineError, type HostConfig, type Mount } from '@fairlead/protocol';
import { parseBind, PROPAGATIONS, type Propagation } from './bind-spec.ts';
import { cleanPath, isAbsolute } from './paths.ts';
import { tmpfsMountText, tmpfsOptions } from './tmpfs-options.ts';

/** One place in the container that the user put something at. Also what inspect's `Mounts` is made of. */
export type MountPoint = BindMountPoint | TmpfsMountPoint;

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

/**
 * Everything HostConfig mounts, targets cleaned, in the order Binds, Mounts, Tmpfs.
 *
 * @throws EngineError 'invalid-argument' in Docker's words, `Duplicate mount point: /m` among them; 'not-implemented' for
 *   volumes.
 */
export function mountPointsOf(hostConfig: HostConfig): readonly MountPoint[] {
  const points = [
    ...(hostConfig.Binds ?? []).map(fromBind),
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

/** The host directories that must be made before the container starts, when they are not there. */
export function sourcesToCreate(points: readonly MountPoint[]): readonly string[] {
  return points.flatMap((point) => (point.kind === 'bind' && point.missingSource === 'create' ? [point.source] : []));
}

/** @throws EngineError 'invalid-argument' for the first `--mount` whose source `exists` denies. */
export async function checkBindSources(
  points: readonly MountPoint[],
  exists: (path: string) => Promise<boolean>,
): Promise<void> {
  for (const point of points) {
    if (point.kind !== 'bind' || point.missingSource === 'create' || (await exists(point.source))) continue;
    throw invalidMount('bind', `bind source path does not exist: ${point.source}`);
  }
}

function fromBind(text: string): MountPoint {
  const bind = parseBind(text);
  if (bind.source === undefined || !isAbsolute(bind.source)) {
    const what = bind.source === undefined ? 'anonymous volume' : `volume ${JSON.stringify(bind.source)}`;
    throw new EngineError(
      'not-implemented',
      `volumes are not implemented yet: HostConfig.Binds asks for ${what} at ${bind.target}`,
    );
  }
  try {
    checkTarget('bind', bind.target);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('invalid-argument', `invalid volume specification: '${text}': ${reason}`, { cause });
  }
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

function fromMount(mount: Mount): MountPoint {
  checkTarget(mount.Type, mount.Target);
  switch (mount.Type) {
    case 'bind':
      return fromBindMount(mount);
    case 'tmpfs':
      return fromTmpfsMount(mount);
    case 'volume':
    case 'image':
    case 'npipe':
    case 'cluster':
      throw new EngineError(
        'not-implemented',
        `mounts of type ${JSON.stringify(mount.Type)} are not implemented yet: HostConfig.Mounts at ${mount.Target}`,
      );
    default:
      throw invalidMount(mount.Type, 'mount type unknown');
  }
}

function fromBindMount(mount: Mount): MountPoint {
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

function fromTmpfsMount(mount: Mount): MountPoint {
  if (mount.BindOptions !== null) throw invalidMount(mount.Type, 'field BindOptions must not be specified');
  if (mount.VolumeOptions !== null) throw invalidMount(mount.Type, 'field VolumeOptions must not be specified');
  if (mount.Source !== '') throw invalidMount(mount.Type, 'field Source must not be specified');
  const options = tmpfsOptions(tmpfsMountText(mount));
  return { kind: 'tmpfs', target: cleanPath(mount.Target), options, origin: 'mount' };
}

function fromTmpfs(target: string, options: string): MountPoint {
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

function invalidMount(type: string, reason: string): EngineError {
  return new EngineError('invalid-argument', `invalid mount config for type ${JSON.stringify(type)}: ${reason}`);
}
