import { isErrno } from './errno.ts';
import { atCheckpoint } from './fault-points.ts';
import { readFileBounded } from './files.ts';
import { mount, umount2 } from './native.ts';

/** A host with ten thousand overlay mounts stays under this. */
const MOUNTINFO_BYTES_MAX: number = 64 * 1024 * 1024;

/** Bits of mount(2). Source: linux/mount.h. */
export const MOUNT_FLAGS = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  recursive: 16_384,
  private: 0x4_0000,
  slave: 0x8_0000,
  shared: 0x10_0000,
} as const;

/** Bits of umount2(2). `detach` takes it out of sight at once and frees it when nobody uses it. */
export const UNMOUNT_FLAGS = { force: 1, detach: 2, noFollow: 8 } as const;

/** Mounts stacked on one place that we are ready to take away; more is somebody's mistake. */
const STACKED_MOUNTS_MAX = 32;

export interface MountRequest {
  readonly source: string;
  readonly target: string;
  /** File system, `overlay`; '' for bind, remount and propagation. */
  readonly type: string;
  /** Sum of {@link MOUNT_FLAGS}; default 0. */
  readonly flags?: number;
  /** File system's own options, comma separated. At most one page (4096 bytes). */
  readonly options?: string;
}

/** One line of /proc/self/mountinfo. Source: proc(5). */
export interface MountEntry {
  readonly mountId: number;
  readonly parentId: number;
  /** Path within the file system that is mounted. */
  readonly root: string;
  readonly target: string;
  readonly type: string;
  readonly source: string;
  readonly options: string;
  readonly superOptions: string;
}

/** Mounts. Not idempotent: mounting twice stacks. @throws an errno error; `path` is the target. 'E2BIG': options too long. */
export async function mountPath(request: MountRequest): Promise<void> {
  const { source, target, type, flags = 0, options = '' } = request;
  await atCheckpoint('mounts.mount', () => mount(source, target, type, flags, options));
}

/** Mounts unless something is mounted at the target already. */
export async function ensureMounted(request: MountRequest): Promise<void> {
  if (await isMounted(request.target)) return;
  await mountPath(request);
}

/**
 * Unmounts everything stacked on exactly this path. Nothing mounted, or nothing there, is success.
 * @throws an errno error: 'EBUSY' when something is used below it (unless `detach`).
 */
export async function unmountPath(target: string, flags: number = UNMOUNT_FLAGS.noFollow): Promise<void> {
  for (let count = 0; count < STACKED_MOUNTS_MAX; count++) {
    try {
      await atCheckpoint('mounts.unmount', () => umount2(target, flags));
    } catch (error) {
      if (isErrno(error, 'EINVAL', 'ENOENT')) return;
      throw error;
    }
  }
}

/** Unmounts everything at and below a path, the latest first. */
export async function unmountTree(prefix: string, flags: number = UNMOUNT_FLAGS.noFollow): Promise<void> {
  const entries = await listMounts(prefix);
  for (const { target } of entries.toReversed()) await unmountPath(target, flags);
}

/** Whether something is mounted at exactly this path (absolute, without links in it). */
export async function isMounted(target: string): Promise<boolean> {
  return (await readMounts()).some((entry) => entry.target === target);
}

/** Mounts at or below a path, in the order they were made. */
export async function listMounts(prefix: string): Promise<readonly MountEntry[]> {
  const below = prefix.endsWith('/') ? prefix : `${prefix}/`;
  return (await readMounts()).filter(({ target }) => target === prefix || target.startsWith(below));
}

/** Parses mountinfo; lines it does not understand are left out. */
export function parseMountInfo(text: string): readonly MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    const [id, parent, , root, target, options] = fields;
    const [type, source, superOptions] = fields.slice(separator + 1);
    if (separator < 0 || root === undefined || target === undefined || options === undefined) return [];
    if (type === undefined || source === undefined || superOptions === undefined) return [];
    return [
      {
        mountId: Number(id),
        parentId: Number(parent),
        root: unescape(root),
        target: unescape(target),
        type,
        source: unescape(source),
        options,
        superOptions: unescape(superOptions),
      },
    ];
  });
}

async function readMounts(): Promise<readonly MountEntry[]> {
  return parseMountInfo((await readFileBounded('/proc/self/mountinfo', MOUNTINFO_BYTES_MAX)).toString('utf8'));
}

/** The kernel writes space, tab, newline, backslash (and `#`) as three octal digits. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
