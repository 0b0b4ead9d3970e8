import { API_VERSION, type ApiVersion, negotiateVersion } from '@fairlead/protocol';
import { connectionLost } from './errors.ts';
import { ConnectionBroken, type HttpAnswer, type HttpConnections } from './transport/http-connections.ts';
import { waitOrAbort } from './wait-or-abort.ts';

/** What the first ping told about the engine. */
export interface EngineTraits {
  /** The version both sides speak from now on. */
  readonly apiVersion: ApiVersion;
  /** Fairlead keeps a ledger, publishes its kill confirm and reports outcomes; others do not. */
  readonly isFairlead: boolean;
}

/** Asks the engine for its API version: lazily, once, and again only if that failed. */
export class Negotiation {
  readonly #connections: HttpConnections;
  readonly #pinned: ApiVersion | undefined;
  #traits: Promise<EngineTraits> | undefined;

  constructor(connections: HttpConnections, pinned: ApiVersion | undefined) {
    this.#connections = connections;
    this.#pinned = pinned;
  }

  /** @throws EngineUnreachableError, or whatever else the ping met; the signal's reason when aborted. */
  traits(signal: AbortSignal): Promise<EngineTraits> {
    return waitOrAbort((this.#traits ??= this.#ask()), signal);
  }

  async #ask(): Promise<EngineTraits> {
    try {
      return await this.#ping();
    } catch (error) {
      this.#traits = undefined;
      throw error;
    }
  }

  /** HEAD first, GET where that is refused. Source: docker client, ping.go. */
  async #ping(): Promise<EngineTraits> {
    const never = new AbortController().signal;
    const head = await this.#answer('HEAD', never);
    const answer = head.status === 200 || head.status === 500 ? head : await this.#answer('GET', never);
    const advertised = answer.headers['api-version'];
    const apiVersion = negotiateVersion(API_VERSION, Array.isArray(advertised) ? advertised[0] : advertised);
    const isFairlead = /^Fairlead\b/i.test(String(answer.headers['server']));
    return { apiVersion: this.#pinned ?? apiVersion, isFairlead };
  }

  async #answer(method: string, signal: AbortSignal): Promise<HttpAnswer> {
    const operation = `${method} /_ping`;
    try {
      const headers = { Host: 'docker' };
      const answer = await this.#connections.send({ method, path: '/_ping', headers, body: undefined }, signal);
      // Read to its end, so that the first call finds this connection free.
      await new Promise((resolve) => answer.body.resume().once('close', resolve));
      return answer;
    } catch (error) {
      throw error instanceof ConnectionBroken ? connectionLost(operation, error.cause) : error;
    }
  }
}
