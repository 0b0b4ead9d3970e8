import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';

/** A port of the host. */
export interface HostPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** `0.0.0.0`: all of IPv4. */
  readonly address: string;
  readonly port: number;
}

/**
 * Takes a port of the host as a server would, so that no other program gets it; what arrives there is dropped. Does not keep
 * the process alive, and ends with it. SCTP is beyond what Node can: nothing is taken.
 *
 * @throws an errno error: 'EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES'.
 */
export async function claimPort({ protocol, address, port }: HostPort): Promise<AsyncDisposable> {
  switch (protocol) {
    case 'tcp':
      return await claimTcp(address, port);
    case 'udp':
      return await claimUdp(address, port);
    case 'sctp':
      return { [Symbol.asyncDispose]: async () => {} };
    default:
      return protocol satisfies never;
  }
}

async function claimTcp(host: string, port: number): Promise<AsyncDisposable> {
  const server = createServer((socket) => void socket.resetAndDestroy());
  server.unref();
  // `once` rejects with an 'error' that comes first.
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  return { [Symbol.asyncDispose]: promisify(server.close.bind(server)) };
}

async function claimUdp(address: string, port: number): Promise<AsyncDisposable> {
  const socket = createSocket({ type: 'udp4', reuseAddr: false });
  socket.bind({ address, port, exclusive: true });
  try {
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
