import type { SessionStreamNumber } from './session-frame.ts';

/** Bytes of one stream in a row. */
export interface SessionPiece {
  readonly stream: SessionStreamNumber;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Smaller appends share a block, so that a million keystrokes are not a million pieces. */
const BLOCK_BYTES = 4096;

/**
 * What a session wrote, by offset, until it is discarded: because the other side has it, or because it is too much.
 *
 * Large appends are kept as they are, not copied: the caller does not change them afterwards.
 */
export class SessionRing {
  #pieces: SessionPiece[] = [];
  #end = 0;
  /** The last piece's memory, while it has room. */
  #block: { readonly bytes: Uint8Array; used: number } | undefined;

  /** Offset of the oldest byte held. */
  get begin(): number {
    return this.#pieces[0]?.offset ?? this.#end;
  }

  /** Offset of the byte that comes next. */
  get end(): number {
    return this.#end;
  }

  get heldBytes(): number {
    return this.#end - this.begin;
  }

  append(stream: SessionStreamNumber, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (bytes.length >= BLOCK_BYTES) {
      this.#block = undefined;
      this.#pieces.push({ stream, offset: this.#end, bytes });
    } else {
      this.#appendSmall(stream, bytes);
    }
    this.#end += bytes.length;
  }

  /** The bytes at `offset`, of one stream, `maxBytes` at most; undefined when there are none, or none any more. */
  read(offset: number, maxBytes: number): SessionPiece | undefined {
    const piece = this.#pieces[this.#indexOf(offset)];
    if (piece === undefined || offset < piece.offset) return undefined;
    const from = offset - piece.offset;
    if (from >= piece.bytes.length) return undefined;
    return { stream: piece.stream, offset, bytes: piece.bytes.subarray(from, from + maxBytes) };
  }

  /** Lets go of everything before `offset`. */
  discardBefore(offset: number): void {
    const first = this.#pieces[0];
    if (first === undefined || offset <= first.offset) return;
    if (offset >= this.#end) {
      this.#pieces = [];
      this.#block = undefined;
      return;
    }
    const at = this.#indexOf(offset);
    const piece = this.#pieces[at];
    if (at > 0) this.#pieces.splice(0, at);
    if (piece === undefined || offset <= piece.offset) return;
    this.#pieces[0] = { stream: piece.stream, offset, bytes: piece.bytes.subarray(offset - piece.offset) };
  }

  #appendSmall(stream: SessionStreamNumber, bytes: Uint8Array): void {
    const last = this.#pieces.at(-1);
    const block = this.#block;
    if (last !== undefined && block !== undefined && last.stream === stream) {
      if (block.used + bytes.length <= block.bytes.length) {
        block.bytes.set(bytes, block.used);
        block.used += bytes.length;
        const whole = block.bytes.subarray(block.used - last.bytes.length - bytes.length, block.used);
        this.#pieces[this.#pieces.length - 1] = { stream, offset: last.offset, bytes: whole };
        return;
      }
    }
    const fresh = { bytes: new Uint8Array(BLOCK_BYTES), used: bytes.length };
    fresh.bytes.set(bytes);
    this.#block = fresh;
    this.#pieces.push({ stream, offset: this.#end, bytes: fresh.bytes.subarray(0, bytes.length) });
  }

  /** The last piece that begins at `offset` or before it. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#pieces[middle]?.offset ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }
}
