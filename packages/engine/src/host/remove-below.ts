import { rmdir, unlink } from 'node:fs/promises';
import { EngineError } from '@fairlead/protocol';
import type { BytePath } from '@fairlead/protocol/tar';
import { isErrno } from './errno.ts';
import type { Place } from './rooted-tree.ts';

/** Somebody who fills a directory as fast as it is emptied gets this many rounds. */
const ROUNDS_MAX = 100;

/**
 * Removes a name of a directory with everything below it, without following a link, whatever others do there meanwhile.
 * Nothing there is success. @throws an errno error: 'EBUSY' for what is mounted there, 'EROFS', 'ENAMETOOLONG'.
 */
export async function removeBelow(parent: Place, name: BytePath, signal: AbortSignal): Promise<void> {
  // Paths from `parent`, none of them through a link; a directory stays until it is empty.
  const waiting: { readonly path: BytePath; rounds: number }[] = [{ path: name, rounds: 0 }];
  for (let at = waiting.at(-1); at !== undefined; at = waiting.at(-1)) {
    signal.throwIfAborted();
    const slash = at.path.lastIndexOf('/');
    using directory = await parent.below(slash < 0 ? '' : at.path.slice(0, slash)).catch(gone);
    if (directory === undefined || (await removeOne(directory, at.path.slice(slash + 1)))) {
      waiting.pop();
      continue;
    }
    at.rounds += 1;
    if (at.rounds > ROUNDS_MAX)
      throw new EngineError('internal', 'cannot empty a directory in which files are made all the time');
    using full = await parent.below(at.path).catch(gone);
    const { path } = at;
    waiting.push(...((await full?.names()) ?? []).map((child) => ({ path: `${path}/${child}`, rounds: 0 })));
  }
}

/** @returns false for a directory that is not empty. */
async function removeOne(directory: Place, name: BytePath): Promise<boolean> {
  const path = directory.child(name);
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    // POSIX says EPERM for a directory, Linux EISDIR.
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error;
    return await removeDirectory(path, error);
  }
}

async function removeDirectory(path: Buffer, refusal: NodeJS.ErrnoException): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    // Full, or it became a file between the two calls: the next round takes it.
    if (isErrno(error, 'ENOTEMPTY') || (isErrno(error, 'ENOTDIR') && refusal.code === 'EISDIR')) return false;
    throw isErrno(error, 'ENOTDIR') ? refusal : error;
  }
}

function gone(error: unknown): undefined {
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
  throw error;
}
