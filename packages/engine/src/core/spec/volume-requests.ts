import { EngineError, type ContainerConfig, type HostConfig, type Mount, type StringMap } from '@fairlead/protocol';
import { isMountMode, optionKind, type BindSpec } from './bind-spec.ts';
import { invalidMount } from './invalid-mount.ts';
import { cleanPath } from './paths.ts';

/** A volume that a container is to have somewhere; it may still have to be made. */
export interface VolumeRequest {
  readonly kind: 'volume-request';
  /** Empty: an anonymous one. */
  readonly name: string;
  /** Empty: the default. */
  readonly driver: string;
  readonly driverOptions: StringMap<string>;
  readonly labels: StringMap<string>;
  readonly target: string;
  /** As inspect shows it. */
  readonly mode: string;
  readonly readOnly: boolean;
  /** Whether an empty volume gets what the image has at the target. */
  readonly copy: boolean;
}

/** What one entry of HostConfig.VolumesFrom says. */
export interface VolumesFrom {
  readonly container: string;
  readonly readOnly: boolean;
}

/** What inspect shows for a volume without options. Source: moby daemon/volumes_unix.go, setBindModeIfNull. */
const DEFAULT_MODE = 'z';

/** A `-v name:/target[:options]`, or `/target` alone in Binds. */
export function volumeOfBind(bind: BindSpec, hostConfig: Pick<HostConfig, 'VolumeDriver'>): VolumeRequest {
  return {
    kind: 'volume-request',
    name: bind.source ?? '',
    driver: hostConfig.VolumeDriver,
    driverOptions: {},
    labels: {},
    target: cleanPath(bind.target),
    mode: bind.mode || DEFAULT_MODE,
    readOnly: bind.readOnly,
    copy: !bind.mode.split(',').includes('nocopy'),
  };
}

/**
 * A `--mount type=volume`. Target and type were checked.
 * @throws EngineError 'invalid-argument' `invalid mount config for type "volume": …`; 'not-implemented' for a part of a volume.
 */
export function volumeOfMount(mount: Mount): VolumeRequest {
  const options = mount.VolumeOptions;
  if (mount.BindOptions !== null) throw invalidMount(mount.Type, 'field BindOptions must not be specified');
  if (mount.TmpfsOptions !== null) throw invalidMount(mount.Type, 'field TmpfsOptions must not be specified');
  if (mount.Source === '' && mount.ReadOnly) {
    throw invalidMount(mount.Type, 'must not set ReadOnly mode when using anonymous volumes');
  }
  if (options !== null && options.Subpath !== '') {
    throw new EngineError('not-implemented', 'HostConfig.Mounts.VolumeOptions.Subpath is not implemented yet');
  }
  return {
    kind: 'volume-request',
    name: mount.Source,
    driver: options?.DriverConfig?.Name ?? '',
    driverOptions: options?.DriverConfig?.Options ?? {},
    labels: options?.Labels ?? {},
    target: cleanPath(mount.Target),
    mode: DEFAULT_MODE,
    readOnly: mount.ReadOnly,
    copy: options?.NoCopy !== true,
  };
}

/** The anonymous volumes of Config.Volumes, merged with the image's, except where something else is: `taken`. */
export function volumesOfConfig(
  config: Pick<ContainerConfig, 'Volumes'>,
  hostConfig: Pick<HostConfig, 'VolumeDriver'>,
  taken: ReadonlySet<string>,
): readonly VolumeRequest[] {
  const targets = new Set(Object.keys(config.Volumes ?? {}).map((path) => cleanPath(path)));
  if (targets.has('/')) {
    throw new EngineError('invalid-argument', "invalid specification: destination can't be '/'");
  }
  return [...targets.difference(taken)].map((target) => ({
    kind: 'volume-request',
    name: '',
    driver: hostConfig.VolumeDriver,
    driverOptions: {},
    labels: {},
    target,
    mode: '',
    readOnly: false,
    copy: true,
  }));
}

/** Reads `CONTAINER[:ro|rw]`. @throws EngineError 'invalid-argument' in Docker's words. */
export function parseVolumesFrom(text: string): VolumesFrom {
  const [container = '', mode = ''] = text.split(/:(.*)/s);
  if (container === '') {
    throw new EngineError('invalid-argument', 'volumes-from specification cannot be an empty string');
  }
  const kinds = mode === '' ? [] : mode.split(',').map(optionKind);
  if (!isMountMode(mode) || kinds.includes('propagation') || kinds.includes('copy')) {
    throw new EngineError('invalid-argument', `invalid mode: ${mode}`);
  }
  return { container, readOnly: mode.split(',').includes('ro') };
}
