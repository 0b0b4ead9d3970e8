import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import type { Blob, ContentStore, Digest, WriteBlob } from '../../core/ports/content-store.ts';
import { fileSizeBytes, openIncomingFile, readByteFile } from '../../host/byte-files.ts';
import { isErrno } from '../../host/errno.ts';
import { listDirectory, makeDirectory, movePath, readFileBounded, removeFile, removeTree } from '../../host/files.ts';

/**
 * Blobs as files: `<root>/content/sha256/<hex>`, written under `<root>/content/incoming` and moved in one step.
 *
 * A blob's content is synced before it is moved, so a record that names it never finds a file of zeros after a power
 * cut. The directory itself is not synced: a blob whose name was lost is found missing, never wrong.
 */
export class FileContentStore implements ContentStore {
  readonly #blobs: string;
  readonly #incoming: string;

  private constructor(root: string) {
    this.#blobs = join(root, 'content', 'sha256');
    this.#incoming = join(root, 'content', 'incoming');
  }

  /** Makes the directories and removes what writes that a crash cut off have left. */
  static async open(root: string): Promise<FileContentStore> {
    const store = new FileContentStore(root);
    await makeDirectory(store.#blobs, 0o700);
    await removeTree(store.#incoming);
    await makeDirectory(store.#incoming, 0o700);
    return store;
  }

  async write(source: AsyncIterable<Uint8Array>, options: WriteBlob): Promise<Blob> {
    await using file = await openIncomingFile(this.#incoming);
    let sizeBytes = 0;
    for await (const chunk of source) {
      options.signal.throwIfAborted();
      sizeBytes += chunk.byteLength;
      if (sizeBytes > options.bytesMax) throw new EngineError('too-large', `content exceeds ${options.bytesMax} bytes`);
      await file.write(chunk);
    }
    options.signal.throwIfAborted();
    const digest = `sha256:${file.sha256()}`;
    if (options.expected !== undefined && options.expected !== digest) {
      throw new EngineError('invalid-argument', `content has digest ${digest}, expected ${options.expected}`);
    }
    const path = this.#path(digest);
    if ((await fileSizeBytes(path)) !== sizeBytes) {
      await file.sync();
      await movePath(file.path, path);
    }
    return { digest, sizeBytes };
  }

  async *read(digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* readByteFile(this.#path(digest));
    } catch (error) {
      throw notFoundOr(error, digest);
    }
  }

  async readWhole(digest: Digest, bytesMax: number): Promise<Uint8Array> {
    const path = this.#path(digest);
    const bytes = await readFileBounded(path, bytesMax).catch((error: unknown) => {
      throw notFoundOr(error, digest);
    });
    const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (actual === digest) return bytes;
    throw new EngineError('internal', `content ${digest} is damaged on disk`, { details: { path, actual } });
  }

  async sizeBytes(digest: Digest): Promise<number | undefined> {
    return await fileSizeBytes(this.#path(digest));
  }

  async delete(digest: Digest): Promise<void> {
    await removeFile(this.#path(digest));
  }

  async list(): Promise<readonly Digest[]> {
    const names = await listDirectory(this.#blobs);
    return names.filter((name) => HEX_64.test(name)).map((name) => `sha256:${name}`);
  }

  /** A digest becomes a file name here and nowhere else. */
  #path(digest: Digest): string {
    const hex = digest.startsWith('sha256:') ? digest.slice(7) : '';
    if (!HEX_64.test(hex)) throw new EngineError('invalid-argument', `invalid digest: ${digest}`);
    return join(this.#blobs, hex);
  }
}

const HEX_64 = /^[0-9a-f]{64}$/;

function notFoundOr(error: unknown, digest: Digest): unknown {
  if (!isErrno(error, 'ENOENT')) return error;
  return new EngineError('not-found', `content ${digest}: not found`, { cause: error });
}
