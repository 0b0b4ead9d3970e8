import { parseMountInfo } from '../../host/mounts.ts';
import { readFileBounded } from '../../host/files.ts';

/** The largest mount table seen on a busy host is under 1 MiB; one container adds some ten lines. */
const MOUNTINFO_BYTES_MAX: number = 16 * 1024 * 1024;

/** Where this host's control groups are mounted. */
export interface CgroupLayout {
  /** 2 when the unified hierarchy is the only one; a host that mixes both counts as 1, as Docker counts it. */
  readonly version: 1 | 2;
  /** Mount point of the cgroup v2 hierarchy. */
  readonly unified: string | undefined;
  /** Mount points of the cgroup v1 hierarchies by controller; named ones by their name (`systemd`). */
  readonly legacy: ReadonlyMap<string, string>;
}

/** Asks the kernel. @throws an errno error when /proc is not mounted. */
export async function readCgroupLayout(): Promise<CgroupLayout> {
  return parseCgroupLayout((await readFileBounded('/proc/self/mountinfo', MOUNTINFO_BYTES_MAX)).toString('utf8'));
}

/** Reads the layout out of the text of /proc/self/mountinfo. A hierarchy that is mounted twice counts where it was first. */
export function parseCgroupLayout(mountInfo: string): CgroupLayout {
  const legacy = new Map<string, string>();
  let unified: string | undefined;
  for (const { type, target, superOptions } of parseMountInfo(mountInfo)) {
    if (type === 'cgroup2') unified ??= target;
    if (type !== 'cgroup') continue;
    for (const controller of controllersOf(superOptions)) if (!legacy.has(controller)) legacy.set(controller, target);
  }
  return { version: legacy.size === 0 && unified !== undefined ? 2 : 1, unified, legacy };
}

/** Flags of a cgroup v1 mount that are not controllers. Source: cgroups(7), kernel/cgroup/cgroup-v1.c. */
const MOUNT_FLAGS: ReadonlySet<string> = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'none', 'all']);

function controllersOf(superOptions: string): readonly string[] {
  return superOptions.split(',').flatMap((option) => {
    if (option.startsWith('name=')) return [option.slice('name='.length)];
    return MOUNT_FLAGS.has(option) || option.includes('=') ? [] : [option];
  });
}
