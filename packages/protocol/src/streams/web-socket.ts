import { createHash } from 'node:crypto';
import { EngineError } from '../errors.ts';

/** What a frame is. Source: RFC 6455, 5.2. */
const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

export type WebSocketKind = keyof typeof OPCODES;

/** A piece of a message, or a control frame, unmasked. */
export interface WebSocketFrame {
  readonly kind: WebSocketKind;
  readonly bytes: Buffer;
  /** The message is whole with it. */
  readonly isLast: boolean;
}

/** Ours, far beyond what a terminal sends; payloads are handed on in pieces, so it holds no memory. Source: RFC 6455, 10.4 asks for a limit. */
export const WEB_SOCKET_FRAME_BYTES_MAX: number = 16 * 1024 * 1024;
/** Source: RFC 6455, 5.5. */
const CONTROL_BYTES_MAX = 125;
/** Appended to the client's key. Source: RFC 6455, 1.3. */
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const WEB_SOCKET_VERSION = '13';
/** Everything went well. Source: RFC 6455, 7.4.1. */
export const CLOSE_NORMAL = 1000;
/** The other side broke the protocol. */
export const CLOSE_PROTOCOL_ERROR = 1002;

/** A client that does not speak the protocol: its connection cannot go on. */
export class WebSocketProtocolError extends Error {
  override readonly name = 'WebSocketProtocolError';
}

/**
 * Checks a client's handshake.
 *
 * @returns the value of `Sec-WebSocket-Accept`.
 * @throws EngineError 'invalid-argument' in Docker's words when it is none.
 */
export function acceptWebSocket(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const words = (name: string): readonly string[] =>
    String(headers[name] ?? '')
      .toLowerCase()
      .split(/\s*,\s*/);
  if (!words('upgrade').includes('websocket') || !words('connection').includes('upgrade')) {
    throw new EngineError('invalid-argument', 'not websocket protocol');
  }
  if (headers['sec-websocket-version'] !== WEB_SOCKET_VERSION) {
    throw new EngineError('invalid-argument', 'missing or bad WebSocket Version');
  }
  const key = headers['sec-websocket-key'];
  if (typeof key !== 'string' || Buffer.from(key, 'base64').length !== 16) {
    throw new EngineError('invalid-argument', 'mismatch challenge/response');
  }
  return createHash('sha1').update(`${key}${ACCEPT_SALT}`).digest('base64');
}

/** The answer that makes a WebSocket of a connection; byte for byte Docker's, without a subprotocol. Source: engine-api 6. */
export function webSocketHandshake(accepted: string, protocol?: string): string {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accepted}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The head of one whole, unmasked message of `length` bytes, as a server sends it. */
export function encodeWebSocketHeader(kind: WebSocketKind, length: number): Buffer {
  const first = 0x80 | OPCODES[kind];
  if (length <= 125) return Buffer.from([first, length]);
  if (length <= 0xffff) return Buffer.from([first, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header.writeUInt8(first, 0);
  header.writeUInt8(127, 1);
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/** A close frame with its code, and why: as much of it as a control frame holds. */
export function encodeClose(code: number, reason = ''): Buffer {
  const words = Buffer.alloc(CONTROL_BYTES_MAX - 2);
  // Cuts no character in two.
  const { written } = new TextEncoder().encodeInto(reason, words);
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), words.subarray(0, written)]);
  return Buffer.concat([encodeWebSocketHeader('close', payload.length), payload]);
}

interface OpenFrame {
  readonly kind: WebSocketKind;
  /** Of its message. */
  readonly isLast: boolean;
  readonly mask: Buffer;
  readonly length: number;
  done: number;
  /** Control frames come whole. */
  readonly control: Buffer | undefined;
}

/**
 * Cuts what a client sends into frames, however the bytes are chunked.
 *
 * The payload of messages is yielded in the pieces in which it came, each with the kind of its message; the last piece of one may be
 * empty. Control frames are yielded whole. Holds at most one frame's head and one control frame. Source: RFC 6455, 5.
 */
export class WebSocketDecoder {
  #head: Buffer = Buffer.alloc(0);
  #open: OpenFrame | undefined;
  /** The message whose last frame has not come yet. */
  #message: 'text' | 'binary' | undefined;

  /** @throws WebSocketProtocolError when the bytes are none of a client's frames; nothing may be pushed after it. */
  *push(chunk: Uint8Array): Generator<WebSocketFrame, void, undefined> {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (;;) {
      if (this.#open === undefined) {
        this.#head = this.#head.length === 0 ? rest : Buffer.concat([this.#head, rest]);
        const size = headSize(this.#head);
        if (size === undefined || this.#head.length < size) return;
        rest = this.#head.subarray(size);
        this.#open = this.#begin(this.#head.subarray(0, size));
        this.#head = Buffer.alloc(0);
      }
      const frame = this.#open;
      const piece = unmasked(rest.subarray(0, frame.length - frame.done), frame);
      rest = rest.subarray(piece.length);
      piece.copy(frame.control ?? Buffer.alloc(0), frame.done);
      frame.done += piece.length;
      const isWhole = frame.done === frame.length;
      const isLast = isWhole && frame.isLast;
      if (isWhole) this.#open = undefined;
      if (frame.control === undefined && (piece.length > 0 || isLast)) yield { kind: frame.kind, bytes: piece, isLast };
      if (frame.control !== undefined && isWhole) yield { kind: frame.kind, bytes: frame.control, isLast };
      if (!isWhole) return;
    }
  }

  #begin(head: Buffer): OpenFrame {
    const [first = 0, second = 0] = head;
    const isLast = (first & 0x80) !== 0;
    const kind = kindOf(first & 0x0f);
    const length = lengthOf(head);
    if ((first & 0x70) !== 0) throw new WebSocketProtocolError('reserved bits are set');
    if (kind === undefined) throw new WebSocketProtocolError(`unknown opcode ${first & 0x0f}`);
    if ((second & 0x80) === 0) throw new WebSocketProtocolError('a frame of a client is not masked');
    if (length > WEB_SOCKET_FRAME_BYTES_MAX)
      throw new WebSocketProtocolError(`a frame of ${length} bytes is too large`);
    const mask = head.subarray(head.length - 4);
    if (kind === 'close' || kind === 'ping' || kind === 'pong') {
      if (!isLast || length > CONTROL_BYTES_MAX) throw new WebSocketProtocolError('a control frame is not whole');
      return { kind, isLast, mask, length, done: 0, control: Buffer.alloc(length) };
    }
    return { kind: this.#messageKind(kind, isLast), isLast, mask, length, done: 0, control: undefined };
  }

  #messageKind(kind: 'continuation' | 'text' | 'binary', isLast: boolean): 'text' | 'binary' {
    if ((kind === 'continuation') !== (this.#message !== undefined)) {
      throw new WebSocketProtocolError('a fragment is out of place');
    }
    const message = kind === 'continuation' ? (this.#message ?? 'binary') : kind;
    this.#message = isLast ? undefined : message;
    return message;
  }
}

/** Bytes of a frame's head with its mask; undefined while that cannot be said. */
function headSize(head: Buffer): number | undefined {
  const second = head[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}

function lengthOf(head: Buffer): number {
  const short = (head[1] ?? 0) & 0x7f;
  if (short === 126) return head.readUInt16BE(2);
  return short === 127 ? Number(head.readBigUInt64BE(2)) : short;
}

function kindOf(opcode: number): WebSocketKind | undefined {
  switch (opcode) {
    case OPCODES.continuation:
      return 'continuation';
    case OPCODES.text:
      return 'text';
    case OPCODES.binary:
      return 'binary';
    case OPCODES.close:
      return 'close';
    case OPCODES.ping:
      return 'ping';
    case OPCODES.pong:
      return 'pong';
    default:
      return undefined;
  }
}

/** A copy: the bytes belong to whoever reads the connection. */
function unmasked(bytes: Buffer, { mask, done }: Pick<OpenFrame, 'mask' | 'done'>): Buffer {
  const plain = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) plain[at] = (bytes[at] ?? 0) ^ (mask[(done + at) % 4] ?? 0);
  return plain;
}
