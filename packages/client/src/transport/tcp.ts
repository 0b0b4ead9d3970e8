import { Budget } from '@fairlead/protocol';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemClock } from '../deadlines/monotonic-clock.ts';
import { budgetSignal } from '../deadlines/spend-budget.ts';
import { connectFailure, errnoOf } from './connect-failure.ts';
import { dialSocket } from './dial-socket.ts';
import type { Transport } from './transport.ts';

/** A silent session must survive what lies between; many networks forget a connection after a few minutes. */
const KEEP_ALIVE_MS = 30_000;

/** How long a connection may take to be there, TLS included. Source: docker/cli, ssh's ConnectTimeout; the kernel's own is 2 min. */
const CONNECT_WITHIN_MS = 30_000;

/** An engine behind plain TCP. */
export class TcpTransport implements Transport {
  readonly #hostname: string;
  readonly #port: number;

  constructor(hostname: string, port: number) {
    this.#hostname = hostname;
    this.#port = port;
  }

  async dial(signal: AbortSignal): Promise<Duplex> {
    using late = connectDeadline();
    try {
      return await dialTcp({ host: this.#hostname, port: this.#port }, AbortSignal.any([signal, late.signal]));
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw connectFailure(this.describe(), errnoOf(cause), cause);
    }
  }

  describe(): string {
    return `tcp://${hostAndPort(this.#hostname, this.#port)}`;
  }
}

/** Aborts with ETIMEDOUT when a connection has taken too long. */
export function connectDeadline(): { readonly signal: AbortSignal } & Disposable {
  const budget = Budget.of(CONNECT_WITHIN_MS, systemClock.nowMs());
  return budgetSignal(systemClock, budget, () => Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
}

/** A TCP connection that is kept alive. @throws as `dialSocket`. */
export async function dialTcp(
  to: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await dialSocket(to, signal);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

/** `HOST:PORT`, with brackets where they are needed. */
export function hostAndPort(hostname: string, port: number): string {
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
}
