import type { ReadableFile } from '../../host/readable-file.ts';

/** The monitor's lines are at most 32 KiB and 45 bytes; a longer one is damage and is skipped. */
export const LOG_FILE_LINE_BYTES_MAX: number = 64 * 1024;
/** One read: large enough that a turn of the thread pool does not matter. */
const READ_BYTES: number = 128 * 1024;

const NEWLINE = 0x0a;

/** Reads a growing file line by line. Holds one read and one unfinished line. */
export class LogLines {
  readonly #file: ReadableFile;
  readonly #room: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #position: number;
  #unfinished: Buffer = Buffer.alloc(0);
  #skipping = false;

  /** @param position where a line begins. */
  constructor(file: ReadableFile, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** @returns the next whole lines, each with its newline, maybe none yet; undefined at the file's present end. */
  async next(): Promise<readonly Buffer[] | undefined> {
    const count = await this.#file.read(this.#room, this.#position);
    if (count === 0) return undefined;
    this.#position += count;
    // A copy: the lines belong to whoever gets them, and a short read should not hold a large buffer.
    const bytes = Buffer.concat([this.#unfinished, this.#room.subarray(0, count)]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (!this.#skipping) lines.push(bytes.subarray(start, end + 1));
      this.#skipping = false;
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
    return lines;
  }

  #keep(unfinished: Buffer): void {
    if (unfinished.length > LOG_FILE_LINE_BYTES_MAX) this.#skipping = true;
    this.#unfinished = this.#skipping ? Buffer.alloc(0) : unfinished;
  }
}
