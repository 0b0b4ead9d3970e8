import type { Duplex } from 'node:stream';
import { HttpConnections } from '../transport/http-connections.ts';
import type { Transport } from '../transport/transport.ts';
import type { HubTarget } from './hub-target.ts';
import { SessionEnd } from './session-end.ts';
import { SessionKeeper } from './session-keeper.ts';
import { sessionAgain } from './session-paths.ts';

/**
 * The engine of a fleet's host, through the hub and the agent there. Each connection is a session that outlives its own
 * connections: when the way to the hub breaks, it comes back within `SESSION_ABANDONED_MS` and goes on where it was.
 */
export class HubTransport implements Transport {
  readonly #target: HubTarget;
  readonly #host: string;
  readonly #connections: HttpConnections;

  /** @param host a host's id or its name. */
  constructor(target: HubTarget, host: string) {
    this.#target = target;
    this.#host = host;
    this.#connections = new HttpConnections(target.hub);
  }

  async dial(signal: AbortSignal): Promise<Duplex> {
    const end = new SessionEnd('caller');
    const keeper = new SessionKeeper({ connections: this.#connections, target: this.#target });
    const first = { path: `/v1/hosts/${encodeURIComponent(this.#host)}/engine`, host: this.#host };
    await keeper.keep(end, { first, again: (session) => sessionAgain(session, { write: true }) }, signal);
    return end.stream;
  }

  describe(): string {
    return `${this.#target.hub.describe()} (host ${this.#host})`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
    await this.#target.hub[Symbol.asyncDispose]?.();
  }
}
