import type { Duplex } from 'node:stream';
import { EngineError } from '@fairlead/protocol';
import { type EncodedFrame, frameParts, SESSION_FRAME_BYTES_MAX } from '@fairlead/protocol/fleet';
import {
  CLOSE_NORMAL,
  CLOSE_PROTOCOL_ERROR,
  encodeClose,
  encodeWebSocketHeader,
  WebSocketDecoder,
  type WebSocketFrame,
  WebSocketProtocolError,
} from '@fairlead/protocol/web-socket';
import { closeWhenAnswered } from '../../lib/close-when-answered.ts';
import { type FrameCarrier, LAST_WORDS_WITHIN_MS, UNREAD_BYTES_MAX } from './session-relay.ts';

/** Frames on a WebSocket: each is one binary message. */
export class WebSocketCarrier implements FrameCarrier {
  readonly #socket: Duplex;
  #isClosing = false;

  /** @param socket answered as `webSocketHandshake` says. */
  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  async *frames(): AsyncGenerator<EncodedFrame, void, undefined> {
    let message: Buffer[] = [];
    let held = 0;
    try {
      for await (const { kind, bytes, isLast } of this.#received()) {
        if (kind === 'close') return;
        // Who does not read gets no answer to each of its pings; RFC 6455 asks for one to the latest.
        if (kind === 'ping' && !this.#socket.writableNeedDrain) {
          this.#write(encodeWebSocketHeader('pong', bytes.length), bytes);
        }
        if (kind === 'text') throw new WebSocketProtocolError('frames of a session are binary messages');
        if (kind !== 'binary') continue;
        // Empty parts of a message have no end that a limit of bytes would set.
        if (bytes.length > 0) message.push(bytes);
        held += bytes.length;
        if (held > SESSION_FRAME_BYTES_MAX) throw new WebSocketProtocolError('longer than a frame of a session');
        if (!isLast) continue;
        const frame = frameParts(Buffer.concat(message));
        if (frame === undefined) throw new WebSocketProtocolError('not a frame of a session');
        yield frame;
        [message, held] = [[], 0];
      }
    } catch (error) {
      if (error instanceof WebSocketProtocolError) this.end(CLOSE_PROTOCOL_ERROR, error.message);
      throw error;
    }
  }

  send({ head, payload }: EncodedFrame): void {
    if (this.#socket.writableLength > UNREAD_BYTES_MAX) this.#socket.destroy();
    this.#write(encodeWebSocketHeader('binary', head.length + payload.length), head, payload);
  }

  close(): void {
    this.end(CLOSE_NORMAL, '');
  }

  /** Ends the connection and says why. */
  end(code: number, reason: string): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    this.#write(encodeClose(code, reason));
    this.#isClosing = true;
    this.#socket.end();
    closeWhenAnswered(this.#socket, LAST_WORDS_WITHIN_MS);
  }

  async *#received(): AsyncGenerator<WebSocketFrame, void, undefined> {
    const decoder = new WebSocketDecoder();
    // Who stops reading has something to say yet.
    for await (const bytes of this.#socket.iterator({ destroyOnReturn: false })) {
      if (!(bytes instanceof Uint8Array)) throw new EngineError('internal', 'a socket gives bytes');
      yield* decoder.push(bytes);
    }
  }

  #write(...parts: readonly Uint8Array[]): void {
    if (this.#isClosing || !this.#socket.writable) return;
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }
}
