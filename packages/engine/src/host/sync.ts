import { runOrThrow } from './process.ts';

/** A disk that takes longer than this to write what it was given is broken; nothing waits for the call meanwhile. */
export const SYNC_TIMEOUT_MS: number = 10 * 60_000;

/**
 * Writes everything that a file system holds in memory to its disk, by coreutils' `sync`: seconds on a slow disk.
 * @throws ProgramFailedError; an errno error when the program is missing.
 */
export async function syncFileSystem(path: string): Promise<void> {
  await runOrThrow('sync', ['--file-system', path], { signal: AbortSignal.timeout(SYNC_TIMEOUT_MS) });
}
