import { EngineError } from '@fairlead/protocol';

/** Where the engine listens. */
export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  /** Port 0 lets the kernel choose one. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/**
 * Reads `unix:///run/fairlead/fairlead.sock` or `tcp://127.0.0.1:2375`.
 *
 * TCP has no authentication, and whoever reaches the engine is root: only loopback addresses are accepted.
 * @throws EngineError 'invalid-argument' with what would be accepted.
 */
export function parseListenAddress(text: string): ListenAddress {
  const path = /^unix:\/\/(\/[^\0]+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'unix', path };
  const tcp = /^tcp:\/\/(\[[0-9a-f:.]+\]|[^:/[\]]+):([0-9]{1,5})$/i.exec(text);
  const host = tcp?.[1]?.replaceAll(/[[\]]/g, '');
  const port = Number(tcp?.[2]);
  if (host === undefined || !(port <= PORT_MAX)) {
    throw new EngineError(
      'invalid-argument',
      `invalid address ${JSON.stringify(text)}: use unix:///PATH or tcp://127.0.0.1:PORT`,
    );
  }
  if (!LOOPBACK.test(host)) {
    throw new EngineError(
      'invalid-argument',
      `refusing to listen on ${text}: TCP connections are not authenticated, so only loopback addresses are accepted`,
    );
  }
  return { kind: 'tcp', host: host === 'localhost' ? '127.0.0.1' : host, port };
}

/** The form that clients take as `DOCKER_HOST`. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

const PORT_MAX = 65_535;
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|::1)$/;
