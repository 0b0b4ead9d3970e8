import { defaultMaxListeners as DEFAULT_LISTENERS_MAX } from 'node:events';
import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HostId } from '@fairlead/protocol/fleet';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import { HubError } from '../operation/hub-error.ts';
import { switchProtocols } from './switch-protocols.ts';

/** Where the loopback nats-server is. */
export interface NatsAddress {
  readonly host: string;
  readonly port: number;
}

/** The agents' way to a nats-server that strangers may not reach: pipes through the hub's own port. */
export class LinkPipes {
  readonly #pipes = new Map<HostId, Set<Duplex>>();
  readonly #nats: NatsAddress;

  constructor(nats: NatsAddress) {
    this.#nats = nats;
  }

  /** Connects a host that has proved to be one, and pipes until either side ends. @throws HubError 'UNAVAILABLE' */
  async open(host: HostId, socket: Duplex, log: FleetLog): Promise<void> {
    const upstream = await dial(this.#nats);
    const pipes = this.#pipes.get(host) ?? new Set();
    this.#pipes.set(host, pipes.add(socket));
    switchProtocols(socket, 'fairlead-link');
    // Two pipelines on a TLS socket are one listener more than Node takes for no leak.
    socket.setMaxListeners(2 * DEFAULT_LISTENERS_MAX);
    try {
      await Promise.all([pipeline(socket, upstream), pipeline(upstream, socket)]);
    } catch (error) {
      log.event('link.cut', { host, why: wordsOf(error) });
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
}

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
