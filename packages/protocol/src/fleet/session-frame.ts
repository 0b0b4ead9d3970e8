import * as v from 'valibot';
import { EngineError } from '../errors.ts';
import { SESSION_CHUNK_BYTES_MAX } from './session.ts';

/** Where bytes of a session belong: 0 is input, 1 stdout or a raw stream, 2 stderr. */
export type SessionStreamNumber = 0 | 1 | 2;

/**
 * One frame of a session: between caller and hub inside a stream or as one WebSocket message, between hub and agent as one NATS
 * message. Offsets count the bytes of that direction since the session began: a resumed stream neither repeats nor skips.
 */
export type SessionFrame =
  | {
      readonly kind: 'bytes';
      readonly stream: SessionStreamNumber;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** The receiver has written out everything before `offset`, and takes bytes up to `limit`. The first frame of every channel. */
  | { readonly kind: 'credit'; readonly offset: number; readonly limit: number }
  /** No more bytes in this direction after `offset`; the other goes on. */
  | { readonly kind: 'half-close'; readonly offset: number }
  /** So many bytes at `offset` are gone: the viewer was slower than the ring. */
  | { readonly kind: 'skipped'; readonly offset: number; readonly count: number }
  /** Asked of the program beside its input, by a number of the viewer's choice; answered by `answer`. */
  | { readonly kind: 'resize'; readonly id: number; readonly rows: number; readonly columns: number }
  | { readonly kind: 'signal'; readonly id: number; readonly signal: string }
  /** What became of the resize or signal of that number: null when it was done, else why it was not. */
  | { readonly kind: 'answer'; readonly id: number; readonly refusal: string | null }
  /**
   * The last frame of every session; output ended at `offset`. Without it the end is SESSION_LOST, never 0. `exitCode` null: there
   * is none to have, and `reason` says why.
   */
  | { readonly kind: 'exit'; readonly offset: number; readonly exitCode: number | null; readonly reason: string }
  /** The caller is done; the agent ends its side. */
  | { readonly kind: 'close'; readonly reason: string }
  /** Nothing but a sign of life. */
  | { readonly kind: 'ping' };

/** Tag, stream, offset. */
const HEAD_BYTES = 10;
/** The longest frame as bytes. */
export const SESSION_FRAME_BYTES_MAX: number = SESSION_CHUNK_BYTES_MAX + HEAD_BYTES;

const KINDS = [
  'bytes',
  'credit',
  'half-close',
  'skipped',
  'resize',
  'signal',
  'exit',
  'close',
  'ping',
  'answer',
] as const;
const STREAMS: readonly SessionStreamNumber[] = [0, 1, 2];

/**
 * A frame as bytes: tag (1), stream (1), offset (8, big-endian), then the payload: bytes as they are, a number (8), or JSON.
 *
 * @throws EngineError 'invalid-argument' when it is longer than `SESSION_FRAME_BYTES_MAX`.
 */
export function encodeSessionFrame(frame: SessionFrame): Uint8Array {
  const payload = payloadOf(frame);
  if (payload.length > SESSION_CHUNK_BYTES_MAX) {
    throw new EngineError('invalid-argument', `a frame of a session may hold ${SESSION_CHUNK_BYTES_MAX} bytes`);
  }
  const encoded = new Uint8Array(HEAD_BYTES + payload.length);
  encoded[0] = KINDS.indexOf(frame.kind);
  encoded[1] = frame.kind === 'bytes' ? frame.stream : 0;
  if ('offset' in frame) writeNumber(encoded, 2, frame.offset);
  encoded.set(payload, HEAD_BYTES);
  return encoded;
}

/** Reads one frame. @throws EngineError 'invalid-argument' when it is none. The payload is a view of `encoded`. */
export function decodeSessionFrame(encoded: Uint8Array): SessionFrame {
  const kind = KINDS[encoded[0] ?? KINDS.length];
  if (kind === undefined || encoded.length < HEAD_BYTES || encoded.length > SESSION_FRAME_BYTES_MAX) throw broken();
  const offset = readNumber(encoded, 2);
  const payload = encoded.subarray(HEAD_BYTES);
  switch (kind) {
    case 'bytes': {
      const stream = STREAMS[encoded[1] ?? STREAMS.length];
      if (stream === undefined) throw broken();
      return { kind, stream, offset, bytes: payload };
    }
    case 'credit':
      return { kind, offset, limit: readNumber(payload, 0) };
    case 'skipped':
      return { kind, offset, count: readNumber(payload, 0) };
    case 'half-close':
      return { kind, offset };
    case 'ping':
      return { kind };
    case 'resize':
      return { kind, ...readJson(resize, payload) };
    case 'signal':
      return { kind, ...readJson(signal, payload) };
    case 'answer':
      return { kind, ...readJson(answer, payload) };
    case 'exit':
      return { kind, offset, ...readJson(exit, payload) };
    case 'close':
      return { kind, ...readJson(close, payload) };
    default:
      return kind satisfies never;
  }
}

const dimension = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0xffff));
const reason = v.pipe(v.string(), v.maxLength(SESSION_CHUNK_BYTES_MAX));
const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const resize = v.object({ id, rows: dimension, columns: dimension });
const signal = v.object({ id, signal: v.pipe(v.string(), v.minLength(1), v.maxLength(32)) });
const answer = v.object({ id, refusal: v.nullable(reason) });
const exit = v.object({ exitCode: v.nullable(v.pipe(v.number(), v.safeInteger())), reason });
const close = v.object({ reason });

function payloadOf(frame: SessionFrame): Uint8Array {
  switch (frame.kind) {
    case 'bytes':
      return frame.bytes;
    case 'credit':
      return numberBytes(frame.limit);
    case 'skipped':
      return numberBytes(frame.count);
    case 'half-close':
    case 'ping':
      return new Uint8Array();
    case 'resize':
      return json({ id: frame.id, rows: frame.rows, columns: frame.columns });
    case 'signal':
      return json({ id: frame.id, signal: frame.signal });
    case 'answer':
      return json({ id: frame.id, refusal: frame.refusal });
    case 'exit':
      return json({ exitCode: frame.exitCode, reason: frame.reason });
    case 'close':
      return json({ reason: frame.reason });
    default:
      return frame satisfies never;
  }
}

function json(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}

function readJson<S extends v.GenericSchema>(schema: S, payload: Uint8Array): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(payload)));
  } catch (cause) {
    throw broken(cause);
  }
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeNumber(bytes, 0, value);
  return bytes;
}

const HIGH = 0x1_0000_0000;

function writeNumber(into: Uint8Array, at: number, value: number): void {
  const view = new DataView(into.buffer, into.byteOffset);
  view.setUint32(at, Math.floor(value / HIGH));
  view.setUint32(at + 4, value % HIGH);
}

function readNumber(from: Uint8Array, at: number): number {
  if (from.length < at + 8) throw broken();
  const view = new DataView(from.buffer, from.byteOffset);
  const value = view.getUint32(at) * HIGH + view.getUint32(at + 4);
  if (!Number.isSafeInteger(value)) throw broken();
  return value;
}

function broken(cause?: unknown): EngineError {
  return new EngineError('invalid-argument', 'not a frame of a session', { cause });
}

const LENGTH_BYTES = 4;

/** What stands in front of an encoded frame in a byte stream: its length (4, big-endian). */
export function lengthOfFrame(encoded: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, encoded.length);
  return length;
}

/** True for what has to stay in order with input; the rest goes past it, so that Ctrl-C passes a full window. */
export function isInputFrame(encoded: Uint8Array): boolean {
  const kind = KINDS[encoded[0] ?? KINDS.length];
  return kind === 'bytes' || kind === 'half-close';
}

/** Takes a byte stream of frames apart, however it was cut. Holds one frame at most. */
export class SessionFrameSplitter {
  /** The beginning of a frame whose rest is still to come: its length at first, then room for all of it. */
  #held = new Uint8Array(LENGTH_BYTES);
  #heldBytes = 0;

  /**
   * The encoded frames that `bytes` completes. Those that are whole in there are views of it; only one that was cut is copied.
   *
   * @throws EngineError 'invalid-argument' when one is too long.
   */
  *push(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.length;) {
      const end = this.#heldBytes === 0 ? endOfFrame(bytes, at) : undefined;
      if (end !== undefined && end <= bytes.length) {
        yield bytes.subarray(at + LENGTH_BYTES, end);
        at = end;
        continue;
      }
      at += this.#hold(bytes.subarray(at));
      if (this.#heldBytes < this.#held.length) continue;
      const frame = this.#held.subarray(LENGTH_BYTES);
      this.#held = new Uint8Array(LENGTH_BYTES);
      this.#heldBytes = 0;
      yield frame;
    }
  }

  /** Takes what is missing at the moment. @returns how much of `bytes` that was. */
  #hold(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.#held.length - this.#heldBytes);
    this.#held.set(taken, this.#heldBytes);
    this.#heldBytes += taken.length;
    const end = this.#heldBytes === LENGTH_BYTES ? endOfFrame(this.#held, 0) : undefined;
    if (end !== undefined) {
      const whole = new Uint8Array(end);
      whole.set(this.#held);
      this.#held = whole;
    }
    return taken.length;
  }
}

/** Where the frame ends whose length is at `at`; undefined while that is not there. @throws EngineError 'invalid-argument' */
function endOfFrame(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length < at + LENGTH_BYTES) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
  if (length < HEAD_BYTES || length > SESSION_FRAME_BYTES_MAX) throw broken();
  return at + LENGTH_BYTES + length;
}
