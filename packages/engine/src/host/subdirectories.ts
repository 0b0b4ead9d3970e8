import { readdir } from 'node:fs/promises';
import { isErrno } from './errno.ts';

/** Names of the directories in a directory, links not counted; none when it does not exist. @throws an errno error. */
export async function listSubdirectories(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    // ENODEV: a control group that vanished while it was listed.
    if (isErrno(error, 'ENOENT', 'ENODEV')) return [];
    throw error;
  }
}
