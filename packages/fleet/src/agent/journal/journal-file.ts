import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * An append-only file whose every append is on disk when it resolves. After a failed append nothing of it counts, and the file
 * takes no more: it is replaced.
 */
export class JournalFile implements AsyncDisposable {
  readonly #path: string;
  #handle: FileHandle | undefined;
  #bytes: number;

  private constructor(path: string, handle: FileHandle | undefined, bytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /** Opens a file whose first `goodBytes` count, and cuts off the rest. */
  static async open(path: string, goodBytes: number): Promise<JournalFile> {
    const handle = await open(path, 'r+', 0o600);
    try {
      await handle.truncate(goodBytes);
      await handle.datasync();
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new JournalFile(path, handle, goodBytes);
  }

  /** A file that is not there yet: `replace` makes it. */
  static none(path: string): JournalFile {
    return new JournalFile(path, undefined, 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False after a failure, and before the first `replace`. */
  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  /** @throws the operating system's error; then the file is closed. */
  async append(bytes: Buffer): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) throw new Error('the journal is closed');
    try {
      await writeWhole(handle, bytes, this.#bytes);
      await handle.datasync();
      this.#bytes += bytes.length;
    } catch (error) {
      this.#handle = undefined;
      // Half a line must not stay; where even this fails, the next start cuts it off.
      await handle.truncate(this.#bytes).catch(() => {});
      // After a failed sync nobody knows which pages reached the disk: this file is not written to again.
      await handle.close().catch(() => {});
      throw error;
    }
  }

  /** Puts a new file with these bytes in place of the old one, at once or not at all. @throws the operating system's error. */
  async replace(bytes: Buffer): Promise<void> {
    const temporary = `${this.#path}.new`;
    const handle = await open(temporary, 'w', 0o600);
    try {
      await writeWhole(handle, bytes, 0);
      await handle.datasync();
      await rename(temporary, this.#path);
      await syncDirectory(dirname(this.#path));
    } catch (error) {
      await handle.close();
      await rm(temporary, { force: true });
      throw error;
    }
    await this.#handle?.close().catch(() => {});
    this.#handle = handle;
    this.#bytes = bytes.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
}

async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
