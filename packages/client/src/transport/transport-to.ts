import type { Address } from './address.ts';
import type { SshOptions } from './ssh.ts';
import { TcpTransport } from './tcp.ts';
import type { TlsSettings } from './tls.ts';
import type { Transport } from './transport.ts';
import { UnixSocketTransport } from './unix-socket.ts';

/** How to get to an address. */
export interface WayOptions {
  /** Speak TLS over TCP; nothing else looks at it. */
  readonly tls?: TlsSettings | undefined;
  readonly ssh?: SshOptions | undefined;
}

/** Docker's port without TLS. Source: docker/cli opts/hosts.go, defaultHTTPPort. */
const TCP_PORT_DEFAULT = 2375;
/** Docker's port with TLS, and the one registered for it. Docker's CLI takes 2375 in either case when none is given. */
const TLS_PORT_DEFAULT = 2376;

/** The transport for an address. Those that most clients do not need are loaded when they are. */
export async function transportTo(address: Address, options: WayOptions = {}): Promise<Transport> {
  switch (address.scheme) {
    case 'unix':
      return new UnixSocketTransport(address.path);
    case 'tcp': {
      const { hostname, port, secure } = address;
      const tls = options.tls ?? (secure ? {} : undefined);
      if (tls === undefined) return new TcpTransport(hostname, port ?? TCP_PORT_DEFAULT);
      const { TlsTransport } = await import('./tls.ts');
      return new TlsTransport(hostname, port ?? TLS_PORT_DEFAULT, tls);
    }
    case 'ssh': {
      const { SshTransport } = await import('./ssh.ts');
      return new SshTransport(address, options.ssh);
    }
    default:
      return address satisfies never;
  }
}
