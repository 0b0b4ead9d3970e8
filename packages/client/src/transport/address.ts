import { EngineError } from '@fairlead/protocol';
import { TcpTransport } from './tcp.ts';
import type { Transport } from './transport.ts';
import { UnixSocketTransport } from './unix-socket.ts';

/** Where an engine listens. */
export type Address =
  | { readonly scheme: 'unix'; readonly path: string }
  | { readonly scheme: 'tcp'; readonly hostname: string; readonly port: number };

/** Docker's port without TLS. Source: docker/cli opts/hosts.go, defaultHTTPPort. */
const TCP_PORT_DEFAULT = 2375;

/** sun_path holds 108 bytes with its terminating zero. Source: unix(7). */
export const SOCKET_PATH_BYTES_MAX = 107;

/**
 * Reads what people put into `DOCKER_HOST` and `--host`: `unix:///PATH`, `tcp://HOST[:PORT]`, `HOST:PORT`, `/PATH`.
 *
 * @throws EngineError 'invalid-argument' when it is none of these, 'not-implemented' for `ssh://`, `npipe://` and `fd://`.
 */
export function parseAddress(text: string): Address {
  const host = text.trim();
  if (host.startsWith('/')) return unixAddress(host);
  if (host.startsWith('unix://')) return unixAddress(host.slice('unix://'.length));
  if (/^(tcp|http):\/\//.test(host)) return tcpAddress(host.slice(host.indexOf('//') + 2), host);
  if (/^(ssh|npipe|fd|https):\/\//.test(host)) {
    throw new EngineError('not-implemented', `cannot reach ${host}: only unix:// and tcp:// are spoken here`);
  }
  if (host.includes('://') || !/:\d+$/.test(host)) {
    throw new EngineError('invalid-argument', `unable to parse docker host \`${text}\``);
  }
  return tcpAddress(host, host);
}

/** The transport for an address. */
export function transportTo(address: Address): Transport {
  switch (address.scheme) {
    case 'unix':
      return new UnixSocketTransport(address.path);
    case 'tcp':
      return new TcpTransport(address.hostname, address.port);
    default:
      return address satisfies never;
  }
}

function unixAddress(path: string): Address {
  if (path === '') throw new EngineError('invalid-argument', 'unable to parse docker host `unix://`: no path');
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new EngineError(
      'invalid-argument',
      `socket path is ${Buffer.byteLength(path)} bytes long, the kernel takes ${SOCKET_PATH_BYTES_MAX}: ${path}`,
    );
  }
  return { scheme: 'unix', path };
}

function tcpAddress(authority: string, whole: string): Address {
  const bare = authority.replace(/\/+$/, '');
  const parsed = URL.canParse(`tcp://${bare}`) ? new URL(`tcp://${bare}`) : undefined;
  const malformed = parsed === undefined || parsed.hostname === '' || parsed.pathname !== '' || parsed.username !== '';
  if (malformed) throw new EngineError('invalid-argument', `unable to parse docker host \`${whole}\``);
  const port = parsed.port === '' ? TCP_PORT_DEFAULT : Number(parsed.port);
  return { scheme: 'tcp', hostname: parsed.hostname.replace(/^\[|\]$/g, ''), port };
}
