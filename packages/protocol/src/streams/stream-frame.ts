import { EngineError } from '../errors.ts';

/** Which stream a frame belongs to. `stdin` is never sent by Docker; `system-error` comes only with logs. */
export type FrameStream = 'stdin' | 'stdout' | 'stderr' | 'system-error';

/** A part of a frame's payload, or of several frames of one stream when they are gathered. Never empty. */
export interface FrameChunk {
  readonly stream: FrameStream;
  /** A view of the bytes that were given; a copy where small frames were gathered. */
  readonly bytes: Uint8Array;
  /** Its frame begins here. Engines write one record of a log per frame. */
  readonly begins: boolean;
}

export interface FrameDecoderOptions {
  /** Small frames of one stream that came in one piece come out in one piece: who reads them pays per chunk. */
  readonly gather?: boolean;
}

/** Stream type, three zero bytes, length as 32 bits big-endian without sign. Source: moby pkg/stdcopy. */
export const FRAME_HEADER_BYTES = 8;

/** A longer frame means that the stream is not framed at all, or out of step: engines send at most a read's worth, some KB. */
export const FRAME_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Smaller payloads are gathered. A view costs about as much as copying so many bytes. */
const GATHERED_BELOW_BYTES = 1024;
/** Below this a loop is faster than a call. */
const COPIED_BY_LOOP_BELOW_BYTES = 32;

const STREAMS: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'system-error'];

/** The frame that is being read. */
interface OpenFrame {
  stream: FrameStream;
  bytesLeft: number;
  /** Nothing of it was handed out yet. */
  begins: boolean;
}

/**
 * Takes a framed stream apart, however it was cut on its way.
 *
 * Payloads are handed on as they arrive and never kept, so a decoder holds eight bytes at most, and a frame may come out in several
 * chunks. Empty frames give nothing.
 */
export class FrameDecoder {
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  readonly #frame: OpenFrame = { stream: 'stdout', bytesLeft: 0, begins: false };
  readonly #gathers: boolean;
  #headerBytes = 0;
  #broken: EngineError | undefined;

  constructor(options: FrameDecoderOptions = {}) {
    this.#gathers = options.gather === true;
  }

  /**
   * What `bytes` adds.
   *
   * @throws EngineError 'invalid-argument' when a header has an unknown stream or a length over `FRAME_BYTES_MAX`; what came before it
   * in the same piece is handed out first, and the next call throws.
   */
  push(bytes: Uint8Array): readonly FrameChunk[] {
    this.#throwIfBroken();
    const chunks = new Chunks(bytes, this.#gathers);
    const frame = this.#frame;
    let at = 0;
    while (at < bytes.length && this.#broken === undefined) {
      if (frame.bytesLeft === 0) {
        at = this.#takeHeader(bytes, at);
        continue;
      }
      const end = Math.min(bytes.length, at + frame.bytesLeft);
      chunks.add(frame, at, end);
      frame.bytesLeft -= end - at;
      frame.begins = false;
      at = end;
    }
    const found = chunks.take();
    if (found.length === 0) this.#throwIfBroken();
    return found;
  }

  /** @throws EngineError 'unavailable' when the stream ended inside a frame: something is missing. */
  end(): void {
    this.#throwIfBroken();
    const { bytesLeft } = this.#frame;
    if (this.#headerBytes === 0 && bytesLeft === 0) return;
    throw new EngineError('unavailable', 'the stream ended in the middle of a frame', {
      details: { headerBytes: this.#headerBytes, payloadBytesMissing: bytesLeft },
    });
  }

  #throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    // Nearly always the header is whole; then it is read where it is.
    if (this.#headerBytes === 0 && bytes.length - at >= FRAME_HEADER_BYTES) {
      this.#begin(bytes, at);
      return at + FRAME_HEADER_BYTES;
    }
    const taken = Math.min(FRAME_HEADER_BYTES - this.#headerBytes, bytes.length - at);
    this.#header.set(bytes.subarray(at, at + taken), this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === FRAME_HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#begin(this.#header, 0);
    }
    return at + taken;
  }

  #begin(bytes: Uint8Array, at: number): void {
    const type = bytes[at] ?? 0;
    const stream = STREAMS[type];
    const length =
      (bytes[at + 4] ?? 0) * 0x100_0000 +
      (((bytes[at + 5] ?? 0) << 16) | ((bytes[at + 6] ?? 0) << 8) | (bytes[at + 7] ?? 0));
    if (stream === undefined) {
      this.#broken = new EngineError('invalid-argument', `Unrecognized input header: ${type}`);
    } else if (length > FRAME_BYTES_MAX) {
      const message = `a frame of ${length} bytes is over the limit of ${FRAME_BYTES_MAX}`;
      this.#broken = new EngineError('invalid-argument', message);
    } else {
      this.#frame.stream = stream;
      this.#frame.bytesLeft = length;
      this.#frame.begins = true;
    }
  }
}

/** What one piece of input gives: views of it, and copies of the small payloads that follow one another. */
class Chunks {
  readonly #found: FrameChunk[] = [];
  readonly #bytes: Uint8Array;
  readonly #gathers: boolean;
  /** Holds every gathered payload of this input; made with the first. */
  #gathered: Uint8Array | undefined;
  #filled = 0;
  /** Small payloads of one stream that followed one another so far; they are in `#gathered` from `from` on. */
  #run: { readonly stream: FrameStream; readonly begins: boolean; readonly from: number } | undefined;

  constructor(bytes: Uint8Array, gathers: boolean) {
    this.#bytes = bytes;
    this.#gathers = gathers;
  }

  add(frame: OpenFrame, at: number, end: number): void {
    const isLone = this.#run === undefined && end === this.#bytes.length;
    if (!this.#gathers || isLone || end - at >= GATHERED_BELOW_BYTES) {
      this.#endRun();
      this.#found.push({ stream: frame.stream, bytes: this.#bytes.subarray(at, end), begins: frame.begins });
      return;
    }
    if (this.#run?.stream !== frame.stream) {
      this.#endRun();
      this.#run = { stream: frame.stream, begins: frame.begins, from: this.#filled };
    }
    this.#copy(at, end);
  }

  take(): readonly FrameChunk[] {
    this.#endRun();
    return this.#found;
  }

  #endRun(): void {
    if (this.#run === undefined || this.#gathered === undefined) return;
    const { stream, begins, from } = this.#run;
    this.#found.push({ stream, bytes: this.#gathered.subarray(from, this.#filled), begins });
    this.#run = undefined;
  }

  #copy(at: number, end: number): void {
    const into = (this.#gathered ??= new Uint8Array(this.#bytes.length - at));
    const shift = this.#filled - at;
    if (end - at < COPIED_BY_LOOP_BELOW_BYTES) {
      for (let from = at; from < end; from += 1) into[from + shift] = this.#bytes[from] ?? 0;
    } else {
      into.set(this.#bytes.subarray(at, end), this.#filled);
    }
    this.#filled = end + shift;
  }
}

/**
 * The eight bytes before a payload. Write them and the payload one after the other (`cork`), and nothing is copied.
 *
 * @throws EngineError 'internal' when the payload is over `FRAME_BYTES_MAX`.
 */
export function encodeFrameHeader(stream: FrameStream, payloadBytes: number): Uint8Array {
  if (payloadBytes > FRAME_BYTES_MAX) throw new EngineError('internal', `frame too long: ${payloadBytes} bytes`);
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  header[0] = STREAMS.indexOf(stream);
  new DataView(header.buffer).setUint32(4, payloadBytes);
  return header;
}

/** Header and payload in one piece: a copy, worth it for small payloads. */
export function encodeFrame(stream: FrameStream, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  frame.set(encodeFrameHeader(stream, payload.length));
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}
