import {
  acceptWebSocket,
  CLOSE_NORMAL,
  CLOSE_PROTOCOL_ERROR,
  encodeClose,
  encodeWebSocketHeader,
  WebSocketDecoder,
  webSocketHandshake,
  WebSocketProtocolError,
  type WebSocketFrame,
} from '@fairlead/protocol/web-socket';
import type { Log } from '../lib/log.ts';
import type { Exchange, TakenConnection } from './exchange.ts';
import type { PumpedInput } from './pump.ts';
import type { WebSocketReply } from './route.ts';
import { runSession } from './session.ts';
import { takeConnection } from './upgrade.ts';

export interface RunWebSocket {
  readonly reply: WebSocketReply;
  readonly log: Log;
  readonly opened?: ((error?: unknown) => void) | undefined;
}

/**
 * Answers a WebSocket handshake, then runs the session in its messages; resolves when that has ended.
 *
 * @throws EngineError 'invalid-argument' when the request is no handshake; then it can still be answered.
 */
export async function runWebSocket(exchange: Exchange, { reply, log, opened }: RunWebSocket): Promise<void> {
  const accepted = acceptWebSocket(exchange.headers);
  const connection = await takeConnection(exchange);
  connection.socket.write(webSocketHandshake(accepted));
  const input = new WebSocketInput(connection);
  await runSession(
    { ...connection, input },
    {
      reply: { ...reply, framing: reply.messages === 'text' ? 'text-messages' : 'binary-messages' },
      log,
      opened,
      target: exchange.target,
      farewell: encodeClose(CLOSE_NORMAL),
    },
  );
}

/** What a client means by what it sends: the content of its messages. Pings are answered on the way. */
class WebSocketInput implements PumpedInput {
  readonly #connection: TakenConnection;
  readonly #decoder = new WebSocketDecoder();
  #frames: Iterator<WebSocketFrame> = [][Symbol.iterator]();

  constructor(connection: TakenConnection) {
    this.#connection = connection;
  }

  /** Undefined when the client has closed: then the connection ends, in both directions. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      for (let frame = await this.#next(); frame !== undefined; frame = await this.#next()) {
        const { kind, bytes } = frame;
        if (kind === 'ping') this.#send(Buffer.concat([encodeWebSocketHeader('pong', bytes.length), bytes]));
        if (kind === 'close') return this.#end(Buffer.concat([encodeWebSocketHeader('close', bytes.length), bytes]));
        if ((kind === 'text' || kind === 'binary') && bytes.length > 0) return bytes;
      }
      return this.#end(undefined);
    } catch (error) {
      if (!(error instanceof WebSocketProtocolError)) throw error;
      return this.#end(encodeClose(CLOSE_PROTOCOL_ERROR));
    }
  }

  /** Undefined when the connection ended without a goodbye. */
  async #next(): Promise<WebSocketFrame | undefined> {
    for (;;) {
      const frame = this.#frames.next();
      if (frame.done !== true) return frame.value;
      const bytes = await this.#connection.input.read();
      if (bytes === undefined) return undefined;
      this.#frames = this.#decoder.push(bytes);
    }
  }

  /** A client that closed reads nothing more; who follows sees that it is gone. */
  #end(farewell: Uint8Array | undefined): undefined {
    const { socket } = this.#connection;
    if (farewell !== undefined) this.#send(farewell);
    if (socket.writable) socket.end(() => socket.destroy());
    else socket.destroy();
  }

  #send(bytes: Uint8Array): void {
    const { socket } = this.#connection;
    if (socket.writable) socket.write(bytes);
  }
}
