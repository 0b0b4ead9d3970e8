import type { MountPoint } from '@fairlead/protocol';
import type { ContainerRecord } from './record.ts';

/** `inspect`'s Mounts: binds and tmpfs mounts asked for with Mounts. `--tmpfs` ones are not listed, as in Docker. */
export function mountPoints(record: ContainerRecord): readonly MountPoint[] {
  const { Binds, Mounts } = record.hostConfig;
  return [...(Binds ?? []).map(fromBind), ...Mounts.map(fromMount)];
}

function fromBind(bind: string): MountPoint {
  const [source = '', destination = '', mode = ''] = bind.split(':');
  const options = mode.split(',');
  return {
    Type: 'bind',
    Source: source,
    Destination: destination,
    Mode: mode,
    RW: !options.includes('ro'),
    Propagation: options.find((option) => /^r?(private|shared|slave)$/.test(option)) ?? 'rprivate',
  };
}

function fromMount(mount: ContainerRecord['hostConfig']['Mounts'][number]): MountPoint {
  return {
    Type: mount.Type,
    Source: mount.Source,
    Destination: mount.Target,
    Mode: '',
    RW: !mount.ReadOnly,
    Propagation: mount.Type === 'bind' ? mount.BindOptions?.Propagation || 'rprivate' : '',
  };
}
