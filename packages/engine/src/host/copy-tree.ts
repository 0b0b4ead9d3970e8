import { lstat, readdir } from 'node:fs/promises';
import { isErrno } from './errno.ts';
import { runOrThrow } from './process.ts';

/** Ten gigabytes of small files on a slow disk. Our own figure. */
const COPY_TIMEOUT_MS = 30 * 60_000;

/**
 * Copies a directory into another, which is made if it is not there: content, owners, modes, times, links (not followed),
 * devices, sparse files, extended attributes and access lists, also those of the directory itself. By cp(1) of GNU coreutils.
 *
 * @throws ProgramFailedError with cp's words; what was copied by then stays.
 */
export async function copyTree(source: string, destination: string): Promise<void> {
  const args = ['--archive', '--no-target-directory', '--', source, destination];
  await runOrThrow('cp', args, { signal: AbortSignal.timeout(COPY_TIMEOUT_MS) });
}

/** Whether a directory has nothing in it; one that is not there has nothing. @throws an errno error. */
export async function isEmptyDirectory(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}

/** What is at a path, links not followed. @throws an errno error. */
export async function kindOf(path: string): Promise<'directory' | 'other' | 'nothing'> {
  try {
    return (await lstat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'nothing';
    throw error;
  }
}
