import type { Readable } from 'node:stream';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';

/** The tar to send: a file, or standard input. @throws ExitError when the file cannot be opened. */
export async function tarInput(context: CliContext, path: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (path === undefined) return chunksOf(context.terminal.stdin);
  try {
    const file = await open(path);
    await file.close();
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const why = missing ? 'no such file or directory' : cause instanceof Error ? cause.message : String(cause);
    throw new ExitError(EXIT_FAILURE, `open ${path}: ${why}`, { cause });
  }
  return chunksOf(createReadStream(path, { highWaterMark: READ_BYTES }));
}

const READ_BYTES = 256 * 1024;

function chunksOf(stream: Readable): AsyncIterable<Uint8Array> {
  return stream;
}
