import { API_VERSION, type ApiVersion, EngineError, negotiateVersion } from '@fairlead/protocol';
import { connectionLost, ProtocolError } from './errors.ts';
import { SharedWork } from './shared-work.ts';
import { ConnectionBroken, type HttpConnections } from './transport/http-connections.ts';
import type { HttpHeaders } from './transport/http-head.ts';

/** What the first ping told about the engine. */
export interface EngineTraits {
  /** The version both sides speak from now on. */
  readonly apiVersion: ApiVersion;
  /** Fairlead keeps a ledger, publishes its kill confirm and reports outcomes; others do not. */
  readonly isFairlead: boolean;
  /** Podman speaks Docker's API and differs in details. */
  readonly isPodman: boolean;
  /** What the engine calls itself: `Docker/28.0.1 (linux)`, `Libpod/4.3.1 (linux)`; empty when it does not say. */
  readonly server: string;
}

/** The answer to a ping is two letters; a proxy's may be a page. */
const PING_CHARS_MAX = 200;

interface PingAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly text: string;
}

/**
 * Asks the engine for its API version: lazily, and once for as long as there is a connection to it. When the last one is gone
 * whoever answers next may be another engine, so it is asked again.
 */
export class Negotiation {
  readonly #connections: HttpConnections;
  readonly #pinned: ApiVersion | undefined;
  readonly #asked: SharedWork<EngineTraits>;
  /** Of the connections that the answer holds for. */
  #era: number | undefined;

  /** @param pinned a version to speak instead, as `parsePinnedVersion` gives it */
  constructor(connections: HttpConnections, pinned: ApiVersion | undefined) {
    this.#connections = connections;
    this.#pinned = pinned;
    this.#asked = new SharedWork((signal) => this.#ask(signal));
  }

  /** @throws EngineUnreachableError, or whatever else the ping met; the signal's reason when aborted. */
  async traits(signal: AbortSignal): Promise<EngineTraits> {
    const era = await this.#connections.era();
    if (era === undefined || era !== this.#era) this.#asked.forget();
    return await this.#asked.result(signal);
  }

  async #ask(signal: AbortSignal): Promise<EngineTraits> {
    const traits = await this.#ping(signal);
    this.#era = await this.#connections.era();
    return traits;
  }

  /** HEAD first, GET where that is refused. Source: docker client, ping.go. */
  async #ping(signal: AbortSignal): Promise<EngineTraits> {
    const head = await this.#answer('HEAD', signal);
    const answer = head.status === 200 || head.status === 500 ? head : await this.#answer('GET', signal);
    const { 'api-version': advertised, server = '', 'libpod-api-version': libpod } = answer.headers;
    // Proxies that let only some requests through answer a ping with 401 or 403.
    if (advertised === undefined && (answer.status === 400 || answer.status === 404)) {
      const words = answer.text === '' ? '' : `, ${JSON.stringify(answer.text)}`;
      const message = `What answers at ${this.#connections.address} does not seem to be a container engine: it answers a ping with ${answer.status}${words}`;
      throw new ProtocolError(message, { operation: 'ping' });
    }
    return {
      apiVersion: this.#pinned ?? negotiateVersion(API_VERSION, advertised),
      isFairlead: /^Fairlead\b/i.test(server),
      isPodman: libpod !== undefined,
      server,
    };
  }

  async #answer(method: string, signal: AbortSignal): Promise<PingAnswer> {
    const headers = { Host: 'docker' };
    const ask = async (): Promise<PingAnswer> => {
      const answer = await this.#connections.send({ method, path: '/_ping', headers, body: undefined }, signal);
      // Read to its end, so that the first call finds this connection free.
      const chunks: AsyncIterable<Uint8Array> = answer.body;
      let text = '';
      for await (const chunk of chunks) text = `${text}${Buffer.from(chunk).toString()}`.slice(0, PING_CHARS_MAX);
      return { status: answer.status, headers: answer.headers, text: text.trim() };
    };
    try {
      return await ask().catch((error: unknown) => {
        if (error instanceof ConnectionBroken && error.wasIdle) return ask();
        throw error;
      });
    } catch (error) {
      throw error instanceof ConnectionBroken ? connectionLost(`${method} /_ping`, error.cause) : error;
    }
  }
}

/** Reads `DOCKER_API_VERSION` and its like, with or without the `v`. @throws EngineError 'invalid-argument'. */
export function parsePinnedVersion(text: string): ApiVersion {
  const version = /^v?(\d{1,3}\.\d{1,3})$/.exec(text)?.[1];
  if (version !== undefined) return version;
  throw new EngineError('invalid-argument', `not a version of the API: ${JSON.stringify(text)} (like 1.44)`);
}
