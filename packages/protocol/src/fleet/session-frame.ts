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
  /** The caller is done; the agent ends its side. From the agent: it takes nothing more of what this viewer types. */
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

/** A frame on its way: head and payload apart, so that what a program says is copied nowhere. */
export interface EncodedFrame {
  /** Tag (1), stream (1), offset (8, big-endian). */
  readonly head: Uint8Array;
  /** Bytes as they are, a number (8), or JSON. */
  readonly payload: Uint8Array;
}

/** A frame as one piece of bytes: its head, then its payload. @throws EngineError as `encodeFrame`. */
export function encodeSessionFrame(frame: SessionFrame): Uint8Array {
  return frameBytes(encodeFrame(frame));
}

/**
 * A frame as it is sent. The payload is a view of the frame's bytes.
 *
 * @throws EngineError 'invalid-argument' when it is longer than `SESSION_FRAME_BYTES_MAX`.
 */
export function encodeFrame(frame: SessionFrame): EncodedFrame {
  const payload = payloadOf(frame);
  if (payload.length > SESSION_CHUNK_BYTES_MAX) {
    throw new EngineError('invalid-argument', `a frame of a session may hold ${SESSION_CHUNK_BYTES_MAX} bytes`);
  }
  const head = new Uint8Array(HEAD_BYTES);
  head[0] = KINDS.indexOf(frame.kind);
  head[1] = frame.kind === 'bytes' ? frame.stream : 0;
  if ('offset' in frame) writeNumber(head, 2, frame.offset);
  return { head, payload };
}

/** Head and payload in one piece, for what is a message by itself. */
export function frameBytes({ head, payload }: EncodedFrame): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  bytes.set(head);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** A message taken apart: views of it; undefined when it has no length that a frame has. */
export function frameParts(message: Uint8Array): EncodedFrame | undefined {
  if (message.length < HEAD_BYTES || message.length > SESSION_FRAME_BYTES_MAX) return undefined;
  return { head: message.subarray(0, HEAD_BYTES), payload: message.subarray(HEAD_BYTES) };
}

/** Reads one frame out of a message. @throws EngineError 'invalid-argument' when it is none. The payload is a view of it. */
export function decodeSessionFrame(message: Uint8Array): SessionFrame {
  const frame = frameParts(message);
  if (frame === undefined) throw broken();
  return decodeFrame(frame);
}

/** Reads a frame as it was sent. @throws EngineError 'invalid-argument' when it is none. */
export function decodeFrame({ head, payload }: EncodedFrame): SessionFrame {
  const kind = KINDS[head[0] ?? KINDS.length];
  if (kind === undefined) throw broken();
  const offset = readNumber(head, 2);
  switch (kind) {
    case 'bytes': {
      const stream = STREAMS[head[1] ?? STREAMS.length];
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

/** Characters of a channel's name where it stands in front of a frame. */
export const CHANNEL_CHARACTERS = 26;

/**
 * What stands in front of a frame's payload in a byte stream: the length of what follows (4, big-endian), on a trunk the name of the
 * frame's channel, and its head.
 */
export function frontOfFrame({ head, payload }: EncodedFrame, channel = ''): Uint8Array {
  const front = new Uint8Array(LENGTH_BYTES + channel.length + HEAD_BYTES);
  new DataView(front.buffer).setUint32(0, front.length - LENGTH_BYTES + payload.length);
  for (let at = 0; at < channel.length; at += 1) front[LENGTH_BYTES + at] = channel.charCodeAt(at);
  front.set(head, LENGTH_BYTES + channel.length);
  return front;
}

/** True for what has to stay in order with input; the rest goes past it, so that Ctrl-C passes a full window. */
export function isInputFrame({ head }: EncodedFrame): boolean {
  const kind = KINDS[head[0] ?? KINDS.length];
  return kind === 'bytes' || kind === 'half-close';
}

/** A frame that came on a byte stream. */
export interface ReceivedFrame extends EncodedFrame {
  /** Whose it is, on a trunk; empty where one session has the stream to itself. */
  readonly channel: string;
}

/**
 * Takes a byte stream of frames apart, however it was cut. What a `bytes` frame carries is handed on as it comes, each part as a
 * frame of its own at its own offset: nothing is copied or waited for. Every other frame comes whole.
 */
export class SessionFrameReader {
  readonly #frontBytes: number;
  /** The beginning of a front whose rest is still to come. */
  readonly #front: Uint8Array;
  #held = 0;
  /** The frame whose payload is coming. */
  #open: { readonly channel: string; readonly head: Uint8Array; readonly isBytes: boolean } | undefined;
  #left = 0;
  /** Of a frame that has to be whole: what came of it. */
  #parts: Uint8Array[] = [];

  /** @param channelCharacters `CHANNEL_CHARACTERS` on a trunk. */
  constructor(channelCharacters: 0 | typeof CHANNEL_CHARACTERS = 0) {
    this.#frontBytes = LENGTH_BYTES + channelCharacters + HEAD_BYTES;
    this.#front = new Uint8Array(this.#frontBytes);
  }

  /** The frames that `bytes` brings: their parts are views of it. @throws EngineError 'invalid-argument' when one is too long, or none. */
  *push(bytes: Uint8Array): Generator<ReceivedFrame, void, undefined> {
    for (let at = 0; at < bytes.length;) {
      at += this.#open === undefined ? this.#takeFront(bytes.subarray(at)) : 0;
      if (this.#open === undefined) return;
      const { channel, head, isBytes } = this.#open;
      const part = bytes.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      const isLast = this.#left === 0;
      this.#open = isLast ? undefined : { channel, head: isBytes ? headBehind(head, part.length) : head, isBytes };
      if (isBytes) {
        if (part.length > 0 || isLast) yield { channel, head, payload: part };
        continue;
      }
      this.#parts.push(part);
      if (!isLast) continue;
      const payload = joined(this.#parts);
      this.#parts = [];
      yield { channel, head, payload };
    }
  }

  /** @returns how much of `bytes` belongs to the front. */
  #takeFront(bytes: Uint8Array): number {
    if (this.#held === 0 && bytes.length >= this.#frontBytes) {
      this.#begin(bytes.subarray(0, this.#frontBytes));
      return this.#frontBytes;
    }
    const taken = bytes.subarray(0, this.#frontBytes - this.#held);
    this.#front.set(taken, this.#held);
    this.#held += taken.length;
    if (this.#held === this.#frontBytes) {
      this.#held = 0;
      this.#begin(this.#front.slice());
    }
    return taken.length;
  }

  #begin(front: Uint8Array): void {
    const length = new DataView(front.buffer, front.byteOffset).getUint32(0);
    this.#left = length - (this.#frontBytes - LENGTH_BYTES);
    const head = front.subarray(this.#frontBytes - HEAD_BYTES);
    const kind = KINDS[head[0] ?? KINDS.length];
    if (kind === undefined || this.#left < 0 || this.#left > SESSION_CHUNK_BYTES_MAX) throw broken();
    const channel = String.fromCharCode(...front.subarray(LENGTH_BYTES, this.#frontBytes - HEAD_BYTES));
    this.#open = { channel, head, isBytes: kind === 'bytes' };
  }
}

/** The head of what is left of a `bytes` frame. */
function headBehind(head: Uint8Array, count: number): Uint8Array {
  const behind = new Uint8Array(head);
  writeNumber(behind, 2, readNumber(head, 2) + count);
  return behind;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
