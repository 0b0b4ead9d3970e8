import { defaultMaxListeners as DEFAULT_LISTENERS_MAX } from 'node:events';
import { createHmac, randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type HostId, isHostId } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { wordsOf } from '../../lib/log.ts';
import { LINK_HEADERS, LINK_NONCE_MS, LINK_UPGRADE, linkProof } from '../../lib/link-proof.ts';
import { randomToken } from '../../lib/random-id.ts';
import { isSignedBy } from '../../nats/fleet-key.ts';
import { isSameHash } from '../access/secret.ts';
import { HubError } from '../operation/hub-error.ts';
import { type Endpoint, endpointWithBody, type HubParts } from './endpoint.ts';

/** Where the loopback nats-server is. */
export interface NatsAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * The agents' way to a nats-server that strangers may not reach: a pipe through the hub's own port, for whoever has proved
 * to be an enrolled host.
 */
export class LinkPipes {
  /** A nonce carries its own proof, so that asking for many of them costs nothing here. Only those that were used are kept. */
  readonly #secret = randomBytes(32);
  readonly #used = new Map<string, number>();
  readonly #pipes = new Map<HostId, Set<Duplex>>();
  readonly #nats: NatsAddress;

  constructor(nats: NatsAddress) {
    this.#nats = nats;
  }

  /** `POST /v1/link/challenge`: the same answer for a host that there is and for one that there is not. */
  get endpoint(): Endpoint {
    return endpointWithBody(
      { method: 'POST', path: '/v1/link/challenge', role: null, body: challengeSchema },
      async ({ clock }, { body: { host } }) => {
        if (!isHostId(host)) throw new HubError('INVALID', 'host: not a host id');
        const nonce = this.#sealed(`${host}.${Math.floor(clock.nowMs())}.${randomToken()}`);
        return { status: 200, body: { nonce, expiresInMs: LINK_NONCE_MS } };
      },
    );
  }

  /** `GET /v1/link`: proves the host, connects, and pipes until either side ends. @throws HubError 'UNAUTHORIZED', 'UNAVAILABLE' */
  async open(parts: HubParts, request: IncomingMessage, socket: Duplex): Promise<void> {
    const host = this.#proven(parts, request);
    const upstream = await dial(this.#nats);
    const pipes = this.#pipes.get(host) ?? new Set();
    this.#pipes.set(host, pipes.add(socket));
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${LINK_UPGRADE}\r\n\r\n`);
    // Two pipelines on a TLS socket are one listener more than Node takes for no leak.
    socket.setMaxListeners(2 * DEFAULT_LISTENERS_MAX);
    try {
      await Promise.all([pipeline(socket, upstream), pipeline(upstream, socket)]);
    } catch (error) {
      parts.log.event('link.cut', { host, why: wordsOf(error) });
    } finally {
      upstream.destroy();
      socket.destroy();
      pipes.delete(socket);
      if (pipes.size === 0 && this.#pipes.get(host) === pipes) this.#pipes.delete(host);
    }
  }

  /** Ends the pipes of a host that was removed. */
  cut(host: HostId): void {
    for (const socket of this.#pipes.get(host) ?? []) socket.destroy();
  }

  /** Ends all of them. */
  close(): void {
    for (const pipes of this.#pipes.values()) for (const socket of pipes) socket.destroy();
  }

  #proven({ hosts, clock }: HubParts, { headers }: IncomingMessage): HostId {
    const [id = '', nonce = '', signature = ''] = [LINK_HEADERS.host, LINK_HEADERS.nonce, LINK_HEADERS.signature].map(
      (name) => String(headers[name] ?? ''),
    );
    const host = hosts.get(id);
    if (
      host === undefined ||
      !this.#isFresh(nonce, host.id, clock.nowMs()) ||
      !isSignedBy(host.publicKey, linkProof(host.id, nonce), signature)
    ) {
      throw new HubError('UNAUTHORIZED', 'not an enrolled host, or not its signature');
    }
    this.#used.set(nonce, clock.nowMs());
    return host.id;
  }

  #isFresh(nonce: string, host: HostId, nowMs: number): boolean {
    for (const [used, usedMs] of this.#used) {
      if (nowMs - usedMs <= LINK_NONCE_MS) break;
      this.#used.delete(used);
    }
    const [madeFor = '', madeMs = '', random = ''] = nonce.split('.');
    const ageMs = nowMs - Number(madeMs);
    if (madeFor !== host || this.#used.has(nonce) || !(ageMs >= 0 && ageMs <= LINK_NONCE_MS)) return false;
    return isSameHash(nonce, this.#sealed(`${madeFor}.${madeMs}.${random}`));
  }

  #sealed(text: string): string {
    return `${text}.${createHmac('sha256', this.#secret).update(text).digest('base64url')}`;
  }
}

const challengeSchema = v.object({ host: v.pipe(v.string(), v.maxLength(64)) });

async function dial(address: NatsAddress): Promise<Duplex> {
  const socket = createConnection({ ...address, noDelay: true });
  const connected = Promise.withResolvers<void>();
  socket.once('connect', connected.resolve);
  socket.once('error', connected.reject);
  try {
    await connected.promise;
  } catch (cause) {
    throw new HubError('UNAVAILABLE', 'the fleet’s nats-server cannot be reached at the moment', { cause });
  }
  return socket;
}
