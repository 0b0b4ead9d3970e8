import type { ViewMount } from '../ports/container-filesystem.ts';
import type { EtcPaths } from '../ports/container-files.ts';
import type { MountPoint } from '../spec/mount-points.ts';

/** What a view shows on a container's root: what the user put there, and the engine's files that were written, outer places first. */
export function viewMounts(
  points: readonly MountPoint[],
  places: { readonly etc: Partial<EtcPaths>; readonly volumePath: (name: string) => string },
): readonly ViewMount[] {
  const taken = new Set(points.map(({ target }) => target));
  const etc = [
    { source: places.etc.hosts, target: '/etc/hosts' },
    { source: places.etc.hostname, target: '/etc/hostname' },
    { source: places.etc.resolvConf, target: '/etc/resolv.conf' },
  ].flatMap(({ source, target }): readonly ViewMount[] =>
    source === undefined || taken.has(target)
      ? []
      : [{ kind: 'bind', source, target, recursive: false, readOnly: 'no' }],
  );
  const mounts = [...etc, ...points.map((point) => viewMount(point, places.volumePath))];
  return mounts.toSorted((one, other) => depthOf(one.target) - depthOf(other.target));
}

/**
 * Why nothing can be put into a directory of a container; undefined when it can.
 * @param directory absolute, without links @param running whether its tmpfs mounts have anything behind them
 */
export function whyReadOnly(
  points: readonly MountPoint[],
  directory: string,
  container: { readonly readOnlyRoot: boolean; readonly running: boolean },
): string | undefined {
  const around = points.filter(({ target }) => directory === target || directory.startsWith(`${target}/`));
  const [innermost] = around.toSorted((one, other) => depthOf(other.target) - depthOf(one.target));
  if (innermost === undefined) return container.readOnlyRoot ? 'container rootfs is marked read-only' : undefined;
  if (innermost.kind !== 'tmpfs') return innermost.readOnly ? 'mounted volume is marked read-only' : undefined;
  if (container.running) return undefined;
  return `the tmpfs at ${innermost.target} is there only while the container runs`;
}

function viewMount(point: MountPoint, volumePath: (name: string) => string): ViewMount {
  switch (point.kind) {
    case 'bind': {
      const { source, target, nonRecursive, readOnly, readOnlyBelow } = point;
      const depth = readOnlyBelow === 'never' ? 'itself' : 'all-below';
      return { kind: 'bind', source, target, recursive: !nonRecursive, readOnly: readOnly ? depth : 'no' };
    }
    case 'volume': {
      const { name, target, readOnly } = point;
      return {
        kind: 'bind',
        source: volumePath(name),
        target,
        recursive: true,
        readOnly: readOnly ? 'all-below' : 'no',
      };
    }
    case 'tmpfs':
      return { kind: 'tmpfs', target: point.target };
    default:
      return point satisfies never;
  }
}

function depthOf(path: string): number {
  return path.split('/').length;
}
