import { chmod, lchown, lstat, lutimes, stat } from 'node:fs/promises';
import { isErrno } from './errno.ts';

/** When a file was last read and changed. */
export interface FileTimes {
  readonly path: string;
  readonly accessedAt: Date;
  readonly modifiedAt: Date;
}

/** @throws an errno error. */
export async function readTimes(path: string): Promise<FileTimes> {
  const { atime, mtime } = await lstat(path);
  return { path, accessedAt: atime, modifiedAt: mtime };
}

/** Gives a file back its times, to the millisecond. Gone meanwhile is success. @throws an errno error. */
export async function restoreTimes(times: FileTimes): Promise<void> {
  try {
    await lutimes(times.path, times.accessedAt, times.modifiedAt);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Whether there is nothing at this path, not even a dangling link. @throws an errno error. */
export async function nothingAt(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return true;
    throw error;
  }
}

/** Whether there is a directory at this path, through links. @throws an errno error. */
export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}

/** Gives a directory owner and mode of another. @throws an errno error. */
export async function copyOwnership(from: string, to: string): Promise<void> {
  const [{ uid, gid, mode }, own] = await Promise.all([stat(from), stat(to)]);
  if (own.uid !== uid || own.gid !== gid) await lchown(to, uid, gid);
  // A change of owner takes bits away.
  if (own.mode !== mode || own.uid !== uid || own.gid !== gid) await chmod(to, mode & 0o7777);
}

/** Gives a file or directory exactly these permission bits, whatever the umask. @throws an errno error. */
export async function setMode(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
}
