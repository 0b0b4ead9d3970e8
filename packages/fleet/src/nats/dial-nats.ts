import type { Socket } from 'node:net';
import type { ConnectionOptions, NatsConnection } from '@nats-io/nats-core';
import { NatsConnectionImpl, setTransportFactory } from '@nats-io/nats-core/internal';
import { NodeTransport, nodeResolveHost } from '@nats-io/transport-node/lib/node_transport.js';

/** What a connection to NATS is made with. */
export interface DialOptions extends ConnectionOptions {
  /** Gives the byte stream to a server; absent: TCP to one of `servers`. */
  readonly dial?: (() => Promise<Socket>) | undefined;
}

/**
 * `connect` of `@nats-io/transport-node`, over a byte stream of one's own when there is `dial`.
 *
 * Everybody in this process connects by this: nats.js takes transports from a factory of the whole process, so what is special about
 * one connection travels in its options.
 */
export async function dialNats(options: DialOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new DialledTransport(), dnsResolveFn: nodeResolveHost });
  return await NatsConnectionImpl.connect(options);
}

class DialledTransport extends NodeTransport {
  override async dial(to: Parameters<NodeTransport['dial']>[0]): Promise<Socket> {
    const options: DialOptions = this.options;
    return options.dial === undefined ? await super.dial(to) : await options.dial();
  }
}
