import { createHash, randomBytes } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './errno.ts';
import { atCheckpoint } from './fault-points.ts';
import { removeFile } from './files.ts';

/** How much is read at once: large enough that a thread-pool turn per read does not matter. */
const READ_BYTES: number = 256 * 1024;

/** A file that is being written under a name of its own, with the digest of what went in so far. */
export interface IncomingFile extends AsyncDisposable {
  readonly path: string;
  /** Hash of everything written, as 64 lower-case hex characters. Call once, at the end. */
  sha256(): string;
  write(bytes: Uint8Array): Promise<void>;
  /** Puts the content on the disk itself, so that it survives a power cut. */
  sync(): Promise<void>;
}

/**
 * Opens a new file with a random name in `directory`. Disposing closes it and removes it, unless it was moved away.
 * @throws an errno error.
 */
export async function openIncomingFile(directory: string): Promise<IncomingFile> {
  const path = join(directory, randomBytes(16).toString('hex'));
  const file = await atCheckpoint('bytes.open', () => open(path, 'wx', 0o600));
  const hash = createHash('sha256');
  return {
    path,
    sha256: () => hash.digest('hex'),
    async write(bytes) {
      hash.update(bytes);
      for (let offset = 0; offset < bytes.byteLength;) {
        const left = bytes.byteLength - offset;
        const { bytesWritten } = await atCheckpoint('bytes.write', () => file.write(bytes, offset, left, null));
        offset += bytesWritten;
      }
    },
    sync: () => atCheckpoint('bytes.sync', () => file.datasync()),
    async [Symbol.asyncDispose]() {
      await file.close();
      await removeFile(path);
    },
  };
}

/** Streams a file out. Breaking off the iteration closes it. @throws an errno error. */
export async function* readByteFile(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path, 'r');
  for (;;) {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Size of a file; undefined when it does not exist. @throws an errno error. */
export async function fileSizeBytes(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
