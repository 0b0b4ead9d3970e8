import { EngineError } from '@fairlead/protocol';
import type { MountPoint } from './mount-points.ts';

/**
 * Checks that binds can propagate as they were asked to: `shared` needs a source on a shared mount of the host, `slave`
 * one on a shared or slave mount. Otherwise the option would have no effect.
 *
 * `mountInfo` is the text of /proc/self/mountinfo; sources must be without symbolic links for an exact answer.
 * @throws EngineError 'internal' (Docker answers 500) `path /x is mounted on / but it is not a shared mount`.
 *   Source: moby daemon/oci_linux.go, ensureShared and ensureSharedOrSlave.
 */
export function checkPropagation(points: readonly MountPoint[], mountInfo: string): void {
  const mounts = parseMountInfo(mountInfo);
  for (const point of points) {
    if (point.kind !== 'bind' || point.propagation.endsWith('private')) continue;
    const mount = mountOf(point.source, mounts);
    const wantsShared = point.propagation.endsWith('shared');
    if (mount === undefined || mount.shared || (!wantsShared && mount.slave)) continue;
    const needed = wantsShared ? 'a shared mount' : 'a shared or slave mount';
    throw new EngineError('internal', `path ${point.source} is mounted on ${mount.path} but it is not ${needed}`);
  }
}

interface HostMount {
  readonly path: string;
  readonly shared: boolean;
  readonly slave: boolean;
}

/** Source: proc(5), mountinfo: after six fields come optional ones, and a hyphen ends them. */
function parseMountInfo(text: string): readonly HostMount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const path = fields[4];
    if (path === undefined) return [];
    const optional = fields.slice(6, fields.indexOf('-'));
    return [
      {
        path: path.replace(/\\([0-7]{3})/g, (_escape, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
        shared: optional.some((field) => field.startsWith('shared:')),
        slave: optional.some((field) => field.startsWith('master:')),
      },
    ];
  });
}

/** The mount that a path lies on: the last one made at the longest place above it. */
function mountOf(path: string, mounts: readonly HostMount[]): HostMount | undefined {
  let found: HostMount | undefined;
  for (const mount of mounts) {
    const above = mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`);
    if (above && mount.path.length >= (found?.path.length ?? 0)) found = mount;
  }
  return found;
}
