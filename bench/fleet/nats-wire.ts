import { connect, Socket } from 'node:net';

/** One message of a subscription. */
export interface WireMessage {
  readonly subject: string;
  readonly payload: string;
}

/** Who connects, to what it listens, and who is told. */
export interface WireUser {
  readonly name: string;
  readonly publicKey: string;
  /** Signs the server's nonce. */
  readonly sign: (nonce: string) => string;
  readonly subjects: readonly string[];
  readonly heard: (message: WireMessage) => void;
  readonly up: (wire: NatsWire) => void;
  /** The connection has ended; called once. */
  readonly down: () => void;
}

/**
 * As much of NATS's client protocol as a simulated agent needs, without streams, timers or promises.
 * Source: docs.nats.io, reference/nats-protocol. What is said within one turn is one write.
 */
export class NatsWire {
  readonly #socket: Socket;
  readonly #user: WireUser;
  #unread = '';
  #unsent = '';
  #isOver = false;

  /** @param to the server's address, or a byte stream to it. */
  constructor(to: Socket | { readonly host: string; readonly port: number }, user: WireUser) {
    this.#user = user;
    // Reads of all connections share one buffer: what is in it is taken out before the next one.
    const onread = {
      buffer: READ_BUFFER,
      callback: (bytes: number): boolean => {
        this.#read(READ_BUFFER.toString('latin1', 0, bytes));
        return true;
      },
    };
    this.#socket = to instanceof Socket ? to : connect({ ...to, noDelay: true, onread });
    if (to instanceof Socket) to.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')));
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => {
      this.#isOver = true;
      user.down();
    });
  }

  publish(subject: string, value: object, reply = ''): void {
    const payload = JSON.stringify(value);
    this.#send(`PUB ${subject} ${reply} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
  }

  #send(text: string): void {
    if (this.#unsent === '') queueMicrotask(() => this.#flush());
    this.#unsent += text;
  }

  #flush(): void {
    const text = this.#unsent;
    this.#unsent = '';
    if (!this.#isOver) this.#socket.write(text);
  }

  #read(text: string): void {
    const all = this.#unread === '' ? text : this.#unread + text;
    let at = 0;
    for (;;) {
      const end = all.indexOf('\r\n', at);
      if (end === -1) break;
      const next = this.#take(all, at, end);
      if (next === -1) break;
      at = next;
    }
    this.#unread = at === all.length ? '' : all.slice(at);
  }

  /** Takes the protocol line from `at` to `end`, with the payload behind it. @returns where the next one begins; -1: not all is here. */
  #take(all: string, at: number, end: number): number {
    if (all.startsWith('MSG', at)) {
      const [, subject = '', ...rest] = all.slice(at, end).split(' ');
      const payloadAt = end + 2;
      const payloadEnd = payloadAt + Number(rest.at(-1));
      if (payloadEnd + 2 > all.length) return -1;
      this.#user.heard({ subject, payload: all.slice(payloadAt, payloadEnd) });
      return payloadEnd + 2;
    }
    if (all.startsWith('PING', at)) this.#send('PONG\r\n');
    else if (all.startsWith('PONG', at)) this.#user.up(this);
    else if (all.startsWith('INFO', at)) this.#greet(JSON.parse(all.slice(at + 5, end)) as { readonly nonce?: string });
    else if (all.startsWith('-ERR', at)) this.#socket.destroy();
    return end + 2;
  }

  #greet({ nonce }: { readonly nonce?: string }): void {
    // Sent again whenever the server's cluster changes; without a nonce it asks for nothing.
    if (nonce === undefined) return;
    const { name, publicKey, sign, subjects } = this.#user;
    const terms = { verbose: false, pedantic: false, headers: false, no_responders: false, protocol: 1, lang: 'bench' };
    const connecting = { ...terms, version: '1', name, nkey: publicKey, sig: sign(nonce) };
    const subscribing = subjects.map((subject, sid) => `SUB ${subject} ${sid + 1}\r\n`).join('');
    this.#send(`CONNECT ${JSON.stringify(connecting)}\r\n${subscribing}PING\r\n`);
  }
}

const READ_BUFFER = Buffer.allocUnsafe(64 * 1024);
