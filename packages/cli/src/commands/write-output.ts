import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CliContext } from '../context.ts';
import { EXIT_FAILURE, ExitError } from '../exit-codes.ts';

/**
 * Writes bytes to a file, or to standard output when `path` is empty. A file that is not whole is not left behind.
 *
 * `what` is for refusals: `failed to save image`.
 * @throws ExitError for a terminal and for a directory that is not there, as Docker does.
 */
export async function writeOutput(
  context: CliContext,
  { path, what }: { readonly path: string; readonly what: string },
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (path === '') {
    if (context.terminal.stdout.isTTY === true) {
      throw new ExitError(EXIT_FAILURE, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    for await (const chunk of bytes) await context.out(chunk);
    return;
  }
  const directory = dirname(resolve(path));
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new ExitError(EXIT_FAILURE, `${what}: invalid output path: stat ${dirname(path)}: no such file or directory`);
  }
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined && !there.isFile()) {
    // A device or a pipe is written to, not replaced.
    await pipeline(bytes, createWriteStream(path));
    return;
  }
  const unfinished = `${path}.unfinished-${process.pid}`;
  try {
    await pipeline(bytes, createWriteStream(unfinished, { flags: 'wx', mode: 0o600 }));
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
