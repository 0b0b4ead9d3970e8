import { closeSync, existsSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { isErrno } from './errno.ts';

/**
 * Room on a disk, kept in a file of zeros for the moment when everything else is full: what has to be written down then, above
 * all that something is removed, finds it free.
 *
 * Synchronous: some hundred microseconds when it is made, which is once in the life of a disk.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #sizeBytes: number;
  #isKept: boolean;

  constructor(path: string, sizeBytes: number) {
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#isKept = existsSync(path);
  }

  /** Whether the room is kept now: it is made, if there is enough of it. @throws an errno error, but for a full disk. */
  keep(): boolean {
    if (this.#isKept) return true;
    try {
      this.#fill();
      this.#isKept = true;
    } catch (error) {
      if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
      this.#remove();
    }
    return this.#isKept;
  }

  /** Gives the room free. @returns false when there was none. */
  release(): boolean {
    if (!this.#isKept) return false;
    this.#isKept = false;
    return this.#remove();
  }

  #fill(): void {
    const file = openSync(this.#path, 'w', 0o600);
    try {
      // A hole would keep nothing.
      const zeros = Buffer.alloc(this.#sizeBytes);
      for (let at = 0; at < zeros.length;) at += writeSync(file, zeros, at);
    } finally {
      closeSync(file);
    }
  }

  #remove(): boolean {
    try {
      unlinkSync(this.#path);
      return true;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      return false;
    }
  }
}
