const LF = 0x0a;
const CR = 0x0d;

/** A line, and where the bytes behind it begin. `line` is undefined while its end has not come. */
export interface LineRead {
  readonly line: string | undefined;
  readonly next: number;
}

/** Puts lines together, however they were cut. Their ends, CRLF or LF, are taken off; bytes are read as latin1, so none is lost. */
export class LineReader {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes of the line that is not complete. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Reads from `from` on to the end of the line, at most. */
  read(bytes: Uint8Array, from: number): LineRead {
    const end = bytes.indexOf(LF, from);
    // A copy: whoever gave the bytes may use their memory again.
    const piece = bytes.slice(from, end === -1 ? bytes.length : end);
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (end === -1) return { line: undefined, next: bytes.length };
    const whole = Buffer.concat(this.#pieces.splice(0));
    this.#bytes = 0;
    return { line: whole.toString('latin1', 0, whole.at(-1) === CR ? whole.length - 1 : whole.length), next: end + 1 };
  }
}
