import { EngineError } from '@fairlead/protocol';
import type { SocketReader } from './socket-reader.ts';

/** Ours: a chunk's length with extensions, or one trailer line. Node's parser allows 16 KiB of extensions in all. */
const CHUNK_LINE_BYTES_MAX = 4 * 1024;
/** Ours: nobody sends trailers to Docker. */
const TRAILER_LINES_MAX = 64;
/** Beyond 2^53 lengths are no longer exact. */
const CHUNK_DIGITS_MAX = 13;

/**
 * Reads the body of a request whose connection was taken from the HTTP parser.
 *
 * node:http leaves the bodies of upgraded requests undecoded; what follows the body is the session's input and stays unread.
 */
export class TakenBody {
  readonly #reader: SocketReader;
  readonly #length: number | 'chunked';
  #done = false;
  readonly #begin: (() => void) | undefined;
  /** The whole body, once; at the end of the iteration `done` is true. @throws EngineError 'invalid-argument' when it is malformed or cut. */
  readonly bytes: AsyncIterable<Uint8Array>;

  /** @param begin called before the first read of a body that is not empty: to send `100 Continue` */
  constructor(reader: SocketReader, length: number | 'chunked', begin?: () => void) {
    this.#reader = reader;
    this.#length = length;
    this.#begin = begin;
    this.#done = length === 0;
    this.bytes = this.#read();
  }

  /** True when nothing of the body is left in the connection. */
  get done(): boolean {
    return this.#done;
  }

  /** Reads the rest and throws it away. @throws EngineError 'too-large' beyond `limitBytes`. */
  async skip(limitBytes: number): Promise<void> {
    let skipped = 0;
    for await (const chunk of this.bytes) {
      skipped += chunk.byteLength;
      if (skipped > limitBytes) throw new EngineError('too-large', `request body is larger than ${limitBytes} bytes`);
    }
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    if (this.#done) return;
    this.#begin?.();
    if (this.#length === 'chunked') yield* this.#chunks();
    else yield* this.#exactly(this.#length);
    this.#done = true;
  }

  async *#exactly(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      const bytes = await this.#reader.read(left);
      if (bytes === undefined) throw cut();
      left -= bytes.length;
      yield bytes;
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const length = chunkLength(await this.#line());
      if (length === 0) break;
      yield* this.#exactly(length);
      if ((await this.#line()) !== '') throw malformed();
    }
    for (let lines = 0; (await this.#line()) !== ''; lines += 1) {
      if (lines >= TRAILER_LINES_MAX) throw malformed();
    }
  }

  async #line(): Promise<string> {
    const bytes: number[] = [];
    for (;;) {
      const byte = (await this.#reader.read(1))?.[0];
      if (byte === undefined) throw cut();
      if (byte === NEWLINE) break;
      bytes.push(byte);
      if (bytes.length > CHUNK_LINE_BYTES_MAX) throw malformed();
    }
    if (bytes.pop() !== CARRIAGE_RETURN) throw malformed();
    return Buffer.from(bytes).toString('latin1');
  }
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CHUNK_LINE = /^([0-9a-f]+)[ \t]*(?:;.*)?$/i;

function chunkLength(line: string): number {
  const digits = CHUNK_LINE.exec(line)?.[1];
  if (digits === undefined || digits.length > CHUNK_DIGITS_MAX) throw malformed();
  return Number.parseInt(digits, 16);
}

function malformed(): EngineError {
  return new EngineError('invalid-argument', 'malformed chunked encoding');
}

function cut(): EngineError {
  return new EngineError('invalid-argument', 'unexpected EOF');
}
