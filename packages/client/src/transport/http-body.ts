import type { HttpHead } from './http-head.ts';

/** What a decoder made of some bytes. */
export interface Decoded {
  readonly pieces: readonly Uint8Array[];
  /** The body is complete; `rest` is what came behind it. */
  readonly done: boolean;
  readonly rest: Uint8Array;
}

/** Takes a body out of the bytes of a connection, in one pass, whatever way they are cut. */
export interface BodyDecoder {
  /** @throws Error when the framing is broken. */
  push(bytes: Uint8Array): Decoded;
  /** Whether the end of the connection ends the body: else it cuts it off. */
  readonly endsWithConnection: boolean;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * The decoder for an answer's body; undefined when it has none. Source: RFC 9112, 6.3.
 *
 * @throws Error when the head contradicts itself.
 */
export function bodyDecoder(method: string, { status, headers }: HttpHead): BodyDecoder | undefined {
  if (method === 'HEAD' || status === 204 || status === 304) return undefined;
  const coding = headers['transfer-encoding']?.toLowerCase();
  if (coding === 'chunked') return new ChunkedDecoder();
  if (coding !== undefined) throw new Error(`an unknown transfer coding: ${JSON.stringify(coding.slice(0, 60))}`);
  const length = headers['content-length'];
  if (length === undefined) return UNTIL_THE_END;
  const lengths = new Set(length.split(/\s*,\s*/));
  const bytes = Number(length.split(',')[0]);
  if (lengths.size !== 1 || !/^\d+\s*(,|$)/.test(length) || !Number.isSafeInteger(bytes)) {
    throw new Error(`a malformed Content-Length: ${JSON.stringify(length.slice(0, 60))}`);
  }
  return bytes === 0 ? undefined : lengthDecoder(bytes);
}

const UNTIL_THE_END: BodyDecoder = {
  endsWithConnection: true,
  push: (bytes) => ({ pieces: [bytes], done: false, rest: NOTHING }),
};

function lengthDecoder(lengthBytes: number): BodyDecoder {
  let left = lengthBytes;
  return {
    endsWithConnection: false,
    push(bytes) {
      const piece = bytes.subarray(0, left);
      left -= piece.length;
      return { pieces: [piece], done: left === 0, rest: bytes.subarray(piece.length) };
    },
  };
}

/** The line with a chunk's size, its extensions included; nobody sends any. */
const SIZE_LINE_BYTES_MAX = 256;
/** What stands behind the last chunk. */
const TRAILER_BYTES_MAX: number = 16 * 1024;
const LF = 10;

/** Transfer-Encoding: chunked. Source: RFC 9112, 7.1. */
class ChunkedDecoder implements BodyDecoder {
  readonly endsWithConnection = false;
  #in: 'size' | 'bytes' | 'end of chunk' | 'trailer' | 'done' = 'size';
  /** Of the chunk that is being read. */
  #left = 0;
  #line = '';
  #trailerBytes = 0;

  push(bytes: Uint8Array): Decoded {
    const pieces: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && this.#in !== 'done') {
      if (this.#in === 'bytes') at = this.#takeBytes(bytes, at, pieces);
      else at = this.#takeLine(bytes, at);
    }
    return { pieces, done: this.#in === 'done', rest: bytes.subarray(at) };
  }

  #takeBytes(bytes: Uint8Array, from: number, pieces: Uint8Array[]): number {
    const piece = bytes.subarray(from, from + this.#left);
    pieces.push(piece);
    this.#left -= piece.length;
    if (this.#left === 0) this.#in = 'end of chunk';
    return from + piece.length;
  }

  #takeLine(bytes: Uint8Array, from: number): number {
    const lineEnd = bytes.indexOf(LF, from);
    const to = lineEnd === -1 ? bytes.length : lineEnd;
    if (this.#line.length + to - from > (this.#in === 'trailer' ? TRAILER_BYTES_MAX : SIZE_LINE_BYTES_MAX)) {
      throw new Error('a line between two chunks that is too long');
    }
    this.#line += Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
    if (lineEnd === -1) return to;
    const line = this.#line.replace(/\r$/, '');
    this.#line = '';
    this.#endLine(line);
    return lineEnd + 1;
  }

  #endLine(line: string): void {
    if (this.#in === 'end of chunk') {
      if (line !== '') throw new Error('a chunk that is longer than its size');
      this.#in = 'size';
    } else if (this.#in === 'trailer') {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > TRAILER_BYTES_MAX) throw new Error('trailers that are too long');
      if (line === '') this.#in = 'done';
    } else {
      // 12 digits are 256 TB: a number holds it exactly.
      const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw new Error(`a malformed size of a chunk: ${JSON.stringify(line.slice(0, 60))}`);
      this.#left = Number.parseInt(size, 16);
      this.#in = this.#left === 0 ? 'trailer' : 'bytes';
    }
  }
}
