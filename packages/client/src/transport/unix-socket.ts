import type { Duplex } from 'node:stream';
import { connectFailure, errnoOf } from './connect-failure.ts';
import { dialSocket } from './dial-socket.ts';
import type { Transport } from './transport.ts';

/** An engine on this machine, behind a socket file. */
export class UnixSocketTransport implements Transport {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async dial(signal: AbortSignal): Promise<Duplex> {
    try {
      return await dialSocket({ path: this.#path }, signal);
    } catch (cause) {
      if (signal.aborted) throw cause;
      throw connectFailure(this.describe(), await this.#why(errnoOf(cause)), cause);
    }
  }

  describe(): string {
    return `unix://${this.#path}`;
  }

  /** Linux says ECONNREFUSED for a file as well as for a socket without a listener. Source: net/unix/af_unix.c. */
  async #why(errno: string): Promise<string> {
    if (errno !== 'ECONNREFUSED') return errno;
    const { stat } = await import('node:fs/promises');
    try {
      return (await stat(this.#path)).isSocket() ? errno : 'ENOTSOCK';
    } catch (cause) {
      // It vanished between the connect and the look.
      return errnoOf(cause);
    }
  }
}
