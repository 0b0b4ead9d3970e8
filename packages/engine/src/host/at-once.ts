/**
 * Calls on small files that the engine itself keeps in memory file systems (/run, /proc), made on its own thread: each takes
 * some ten microseconds, and a visit to another thread takes longer.
 */
import { closeSync, constants, existsSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { isErrno } from './errno.ts';
import { atCheckpoint } from './fault-points.ts';

/** A whole file of at most some KiB, as UTF-8; undefined when there is none. */
export function readTextAtOnce(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** When a file was last written; undefined when there is none. */
export function modifiedAtOnce(path: string): Date | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtime;
}

/** Whether there is something at this path. */
export function existsAtOnce(path: string): boolean {
  return existsSync(path);
}

/** Removes a file. Nothing there is success. */
export function removeAtOnce(path: string): void {
  try {
    atCheckpoint('files.remove', () => unlinkSync(path));
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

/**
 * Lets somebody go on who reads a FIFO, and removes its name.
 * @returns `nobody` when none reads it, or there is none; nothing was changed then.
 */
export function releaseReader(path: string): 'released' | 'nobody' {
  let fifo: number;
  try {
    fifo = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENXIO')) return 'nobody';
    throw error;
  }
  try {
    atCheckpoint('files.remove', () => unlinkSync(path));
    atCheckpoint('files.write', () => writeSync(fifo, '\0'));
    return 'released';
  } finally {
    closeSync(fifo);
  }
}
