import type { Duplex } from 'node:stream';
import { connectFailure, errnoOf } from './connect-failure.ts';
import { dialSocket } from './dial-socket.ts';
import type { Transport } from './transport.ts';

/** A silent session must survive what lies between; many networks forget a connection after a few minutes. */
const KEEP_ALIVE_MS = 30_000;

/** An engine behind plain TCP. */
export class TcpTransport implements Transport {
  readonly #hostname: string;
  readonly #port: number;

  constructor(hostname: string, port: number) {
    this.#hostname = hostname;
    this.#port = port;
  }

  async dial(signal: AbortSignal): Promise<Duplex> {
    try {
      const socket = await dialSocket({ host: this.#hostname, port: this.#port }, signal);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      return socket;
    } catch (cause) {
      if (signal.aborted) throw cause;
      throw connectFailure(this.describe(), errnoOf(cause), cause);
    }
  }

  describe(): string {
    const hostname = this.#hostname.includes(':') ? `[${this.#hostname}]` : this.#hostname;
    return `tcp://${hostname}:${this.#port}`;
  }
}
