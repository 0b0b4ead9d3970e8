import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './errno.ts';

/**
 * Sum of the sizes of everything under a directory but the directories, as Docker counts a writable layer; a file with
 * several names counts once. What vanishes meanwhile counts nothing. @throws an errno error.
 */
export async function treeSizeBytes(directory: string): Promise<number> {
  const linked = new Set<bigint>();
  const waiting = [directory];
  let total = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true }).catch(noEntries)) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        waiting.push(path);
        continue;
      }
      const stats = await lstat(path, { bigint: true }).catch(noStats);
      if (stats === undefined || linked.has(stats.ino)) continue;
      if (stats.nlink > 1n) linked.add(stats.ino);
      total += Number(stats.size);
    }
  }
  return total;
}

function noEntries(error: unknown): readonly [] {
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
  throw error;
}

function noStats(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
}
