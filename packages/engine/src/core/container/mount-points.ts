import type { MountPoint as InspectedMount } from '@fairlead/protocol';
import { askedMounts, plainMounts, type MountPoint } from '../spec/mount-points.ts';
import type { ContainerRecord } from './record.ts';

/** What is mounted in a container besides what every container has: binds, volumes and tmpfs mounts. */
export function mountPointsOf(record: Pick<ContainerRecord, 'mounts' | 'hostConfig'>): readonly MountPoint[] {
  // Records from before there were volumes have none.
  return record.mounts ?? plainMounts(askedMounts(record.hostConfig));
}

/** Names of the volumes that a container uses, running or not. */
export function volumeNamesOf(record: Pick<ContainerRecord, 'mounts' | 'hostConfig'>): ReadonlySet<string> {
  return new Set(mountPointsOf(record).flatMap((point) => (point.kind === 'volume' ? [point.name] : [])));
}

/**
 * `inspect`'s Mounts: binds, volumes, and the tmpfs mounts asked for with `--mount`. `--tmpfs` ones are not listed, as in
 * Docker.
 *
 * @param volumePath host path of a volume's content
 */
export function inspectedMounts(
  record: Pick<ContainerRecord, 'mounts' | 'hostConfig'>,
  volumePath: (name: string) => string,
): readonly InspectedMount[] {
  return mountPointsOf(record).flatMap((point): readonly InspectedMount[] => {
    const common = { Destination: point.target };
    switch (point.kind) {
      case 'bind': {
        const { source, mode, readOnly, propagation } = point;
        return [{ Type: 'bind', Source: source, ...common, Mode: mode, RW: !readOnly, Propagation: propagation }];
      }
      case 'volume': {
        const { name, mode, readOnly } = point;
        const volume = { Type: 'volume', Name: name, Source: volumePath(name), ...common, Driver: 'local' };
        return [{ ...volume, Mode: mode, RW: !readOnly, Propagation: '' }];
      }
      case 'tmpfs':
        if (point.origin === 'tmpfs') return [];
        return [{ Type: 'tmpfs', Source: '', ...common, Mode: '', RW: !point.options.includes('ro'), Propagation: '' }];
      default:
        return point satisfies never;
    }
  });
}
