import { randomBytes } from 'node:crypto';
import { RawConnection, type RawHead } from './raw-http.ts';

export interface Message {
  readonly kind: 'text' | 'binary' | 'close' | 'pong';
  readonly payload: string;
}

const KINDS: Readonly<Record<number, Message['kind']>> = { 1: 'text', 2: 'binary', 8: 'close', 10: 'pong' };

/** A WebSocket client on a unix socket, for messages of at most 125 bytes out and 64 KiB in. */
export class WebSocketConnection implements Disposable {
  readonly #connection: RawConnection;
  #unread: Buffer = Buffer.alloc(0);

  private constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  /** Sends the handshake; whether it was taken is in the head. */
  static async open(
    socketPath: string,
    path: string,
  ): Promise<{ readonly head: RawHead; readonly socket: WebSocketConnection }> {
    const connection = await RawConnection.open(socketPath);
    await connection.request(
      `GET ${path}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      // The server of Go's golang.org/x/net/websocket refuses a client without.
      'Origin: http://localhost',
    );
    return { head: await connection.head(), socket: new WebSocketConnection(connection) };
  }

  async send(text: string): Promise<void> {
    await this.#connection.send(frame(1, text));
  }

  async ping(text: string): Promise<void> {
    await this.#connection.send(frame(9, text));
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    await this.#connection.send(frame(8, '\u0003\u00e8'));
  }

  /** The next message; undefined at the end of the connection. */
  async receive(): Promise<Message | undefined> {
    const head = await this.#take(2);
    if (head === undefined) return undefined;
    const [first = 0, short = 0] = head;
    const length = short === 126 ? ((await this.#take(2))?.readUInt16BE() ?? 0) : short;
    return { kind: KINDS[first & 0x0f] ?? 'binary', payload: (await this.#take(length))?.toString() ?? '' };
  }

  /** Joins what messages say until it matches. */
  async says(pattern: RegExp): Promise<string> {
    let said = '';
    while (!pattern.test(said)) {
      const message = await this.receive();
      if (message === undefined || message.kind === 'close') throw new Error(`closed after ${JSON.stringify(said)}`);
      said += message.payload;
    }
    return said;
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  async #take(count: number): Promise<Buffer | undefined> {
    while (this.#unread.length < count) {
      const more = await this.#connection.read();
      if (more === undefined) return undefined;
      this.#unread = Buffer.concat([this.#unread, more]);
    }
    const taken = this.#unread.subarray(0, count);
    this.#unread = this.#unread.subarray(count);
    return taken;
  }
}

function frame(opcode: number, text: string): Buffer {
  const [payload, mask] = [Buffer.from(text, 'latin1'), randomBytes(4)];
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}
