import { EngineError } from '@fairlead/protocol';
import type { MountPoint } from './mount-points.ts';

/** Files of /proc that others emulate. Source: runc, libcontainer/rootfs_linux.go, checkProcMount. */
const EMULATED: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/slabinfo',
  '/proc/net/dev',
  '/proc/sys/kernel/ns_last_pid',
  '/proc/sys/crypto/fips_enabled',
]);

/**
 * Keeps /proc what it is: security modules are told through it, and a file in their way would take a label for written. runc refuses
 * such mounts, crun does not.
 * @throws EngineError 'internal' (Docker answers 500) in runc's words.
 */
export function checkProcMounts(points: readonly MountPoint[]): void {
  for (const point of points) {
    const { target } = point;
    const isProc = point.kind === 'bind' && /^\/proc(\/|$)/.test(point.source);
    if (target === '/proc' && !isProc) throw refused(target, 'it is not of type proc');
    if (target.startsWith('/proc/') && !EMULATED.has(target)) throw refused(target, 'it is inside /proc');
  }
}

function refused(target: string, why: string): EngineError {
  return new EngineError('internal', `${JSON.stringify(target)} cannot be mounted because ${why}`);
}
