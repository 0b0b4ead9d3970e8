import { EngineError, versionAtLeast, type ApiVersion, type CreateContainerBody, type Mount } from '@fairlead/protocol';

/**
 * A create as its client means it: what the client's version does not know does not count, and defaults are those of its time.
 * @throws EngineError 'invalid-argument' for what must not be ignored. Source: moby v28 postContainersCreate; engine-api 1.9.
 */
export function createBodyOf(body: CreateContainerBody, version: ApiVersion): CreateContainerBody {
  const since = (gate: ApiVersion): boolean => versionAtLeast(version, gate);
  const { HostConfig: host, Healthcheck: health } = body;
  const networks = Object.keys(body.NetworkingConfig.EndpointsConfig);
  if (networks.length > 1 && !since('1.44')) {
    const words = `Container cannot be created with multiple network endpoints: ${networks.join(', ')}`;
    throw new EngineError('invalid-argument', words);
  }
  return {
    ...body,
    Healthcheck: health === null || since('1.44') ? health : { ...health, StartInterval: 0 },
    HostConfig: {
      ...host,
      AutoRemove: since('1.25') && host.AutoRemove,
      KernelMemoryTCP: since('1.40') ? host.KernelMemoryTCP : 0,
      IpcMode: host.IpcMode === '' && !since('1.40') ? 'shareable' : host.IpcMode,
      ConsoleSize: since('1.42') ? host.ConsoleSize : [0, 0],
      Annotations: since('1.43') ? host.Annotations : {},
      Mounts: host.Mounts.map((mount) => mountOf(mount, since)),
    },
  };
}

function mountOf(mount: Mount, since: (gate: ApiVersion) => boolean): Mount {
  const { Type: type, BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs } = mount;
  if (type === 'bind' && bind?.ReadOnlyForceRecursive === true && !since('1.44')) {
    throw new EngineError('invalid-argument', 'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
  }
  const bindOptions = bind && {
    ...bind,
    NonRecursive: since('1.40') && bind.NonRecursive,
    CreateMountpoint: since('1.42') && bind.CreateMountpoint,
    ReadOnlyNonRecursive: since('1.44') && bind.ReadOnlyNonRecursive,
  };
  if (since('1.42')) return { ...mount, BindOptions: bindOptions };
  return {
    ...mount,
    BindOptions: bindOptions,
    VolumeOptions: type === 'volume' ? volume : null,
    TmpfsOptions: type === 'tmpfs' ? tmpfs : null,
  };
}
