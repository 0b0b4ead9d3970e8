import { EngineError } from '../errors.ts';

/** Which stream a frame belongs to. `stdin` is never sent by Docker; `system-error` comes only with logs. */
export type FrameStream = 'stdin' | 'stdout' | 'stderr' | 'system-error';

/** A part of a frame's payload: a view of the bytes that were given, no copy. Never empty. */
export interface FrameChunk {
  readonly stream: FrameStream;
  readonly bytes: Uint8Array;
}

/** Stream type, three zero bytes, length as 32 bits big-endian without sign. Source: moby pkg/stdcopy. */
export const FRAME_HEADER_BYTES = 8;

/** A longer frame means that the stream is not framed at all, or out of step: engines send at most a read's worth, some KB. */
export const FRAME_BYTES_MAX: number = 1024 * 1024 * 1024;

const STREAMS: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'system-error'];

/**
 * Takes a framed stream apart, however it was cut on its way.
 *
 * Payloads are handed on as they arrive and never gathered, so a decoder holds eight bytes at most, and a frame may come out in several
 * chunks. Empty frames give nothing.
 */
export class FrameDecoder {
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #stream: FrameStream = 'stdout';
  #payloadLeft = 0;

  /**
   * Yields what `bytes` adds. Take everything before the next call.
   *
   * @throws EngineError 'invalid-argument' when a header has an unknown stream or a length over `FRAME_BYTES_MAX`.
   */
  *push(bytes: Uint8Array): Generator<FrameChunk, void, void> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#payloadLeft === 0) {
        at = this.#takeHeader(bytes, at);
        continue;
      }
      const end = Math.min(bytes.length, at + this.#payloadLeft);
      this.#payloadLeft -= end - at;
      const chunk = { stream: this.#stream, bytes: bytes.subarray(at, end) };
      at = end;
      yield chunk;
    }
  }

  /** @throws EngineError 'unavailable' when the stream ended inside a frame: something is missing. */
  end(): void {
    if (this.#headerBytes === 0 && this.#payloadLeft === 0) return;
    throw new EngineError('unavailable', 'the stream ended in the middle of a frame', {
      details: { headerBytes: this.#headerBytes, payloadBytesMissing: this.#payloadLeft },
    });
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
    if (stream === undefined) throw new EngineError('invalid-argument', `Unrecognized input header: ${type}`);
    const length =
      (bytes[at + 4] ?? 0) * 0x100_0000 +
      (((bytes[at + 5] ?? 0) << 16) | ((bytes[at + 6] ?? 0) << 8) | (bytes[at + 7] ?? 0));
    if (length > FRAME_BYTES_MAX) {
      throw new EngineError('invalid-argument', `a frame of ${length} bytes is over the limit of ${FRAME_BYTES_MAX}`);
    }
    this.#stream = stream;
    this.#payloadLeft = length;
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
