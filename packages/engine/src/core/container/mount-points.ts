import type { MountPoint } from '@fairlead/protocol';
import { mountPointsOf } from '../spec/mount-points.ts';
import type { ContainerRecord } from './record.ts';

/** `inspect`'s Mounts: binds, and the tmpfs mounts asked for with `--mount`. `--tmpfs` ones are not listed, as in Docker. */
export function inspectedMounts(record: ContainerRecord): readonly MountPoint[] {
  return mountPointsOf(record.hostConfig).flatMap((point): readonly MountPoint[] => {
    switch (point.kind) {
      case 'bind': {
        const { source, target, mode, readOnly, propagation } = point;
        return [
          { Type: 'bind', Source: source, Destination: target, Mode: mode, RW: !readOnly, Propagation: propagation },
        ];
      }
      case 'tmpfs':
        if (point.origin === 'tmpfs') return [];
        return [{ Type: 'tmpfs', Source: '', Destination: point.target, Mode: '', RW: true, Propagation: '' }];
      default:
        return point satisfies never;
    }
  });
}
