import { EngineError } from '@fairlead/protocol';

/** Where an engine listens. */
export type Address =
  | { readonly scheme: 'unix'; readonly path: string }
  /** `secure` is an `https://`; without a port it is 2376 with TLS, and 2375 without. */
  | {
      readonly scheme: 'tcp';
      readonly hostname: string;
      readonly port: number | undefined;
      readonly secure: boolean;
    }
  | SshAddress;

/** A machine whose engine is reached by logging in there. What is undefined is left to ssh's own configuration. */
export interface SshAddress {
  readonly scheme: 'ssh';
  readonly user: string | undefined;
  readonly hostname: string;
  readonly port: number | undefined;
  /** The engine's socket over there. */
  readonly path: string | undefined;
}

/** sun_path holds 108 bytes with its terminating zero. Source: unix(7). */
export const SOCKET_PATH_BYTES_MAX = 107;

/**
 * Reads what people put into `DOCKER_HOST` and `--host`: `unix:///PATH`, `/PATH`, `tcp://HOST[:PORT]`, `HOST[:PORT]`,
 * `https://HOST[:PORT]`, `ssh://[USER@]HOST[:PORT][/PATH]`.
 *
 * @throws EngineError 'invalid-argument' when it is none of these, 'not-implemented' for `npipe://` and `fd://`.
 */
export function parseAddress(text: string): Address {
  const host = text.trim();
  if (host.startsWith('/')) return unixAddress(host);
  const [scheme, rest] = host.includes('://') ? splitScheme(host) : ['tcp', host];
  switch (scheme) {
    case 'unix':
      return unixAddress(rest);
    case 'tcp':
    case 'http':
      return tcpAddress(rest, text, false);
    case 'https':
      return tcpAddress(rest, text, true);
    case 'ssh':
      return sshAddress(host);
    case 'npipe':
      throw new EngineError('not-implemented', `cannot reach ${host}: named pipes exist on Windows only`);
    case 'fd':
      throw new EngineError('not-implemented', `cannot reach ${host}: fd:// tells an engine where to listen`);
    default:
      throw new EngineError('invalid-argument', `invalid bind address format: ${host}`);
  }
}

function splitScheme(host: string): readonly [string, string] {
  const at = host.indexOf('://');
  return [host.slice(0, at), host.slice(at + 3)];
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

function tcpAddress(authority: string, whole: string, secure: boolean): Address {
  const parsed = urlOf(`tcp://${authority.replace(/\/+$/, '')}`);
  if (parsed === undefined || parsed.hostname === '' || parsed.pathname !== '' || parsed.username !== '') {
    throw new EngineError('invalid-argument', `unable to parse docker host \`${whole}\``);
  }
  return { scheme: 'tcp', hostname: bareHostname(parsed), port: portOf(parsed), secure };
}

/** In the words of Docker. Source: docker/cli cli/connhelper/ssh/ssh.go. */
function sshAddress(whole: string): Address {
  const refuse = (why: string): never => {
    throw new EngineError('invalid-argument', `ssh host connection is not valid: invalid SSH URL: ${why}`);
  };
  const url = urlOf(whole) ?? refuse(whole === 'ssh://' ? 'hostname is empty' : `cannot be read: ${whole}`);
  if (url.password !== '') refuse('plain-text password is not supported');
  if (url.hostname === '') refuse('hostname is empty');
  if (url.search !== '') refuse(`query parameters are not allowed: ${JSON.stringify(url.search.slice(1))}`);
  if (url.hash !== '') refuse(`fragments are not allowed: ${JSON.stringify(url.hash.slice(1))}`);
  const path = decodeURIComponent(url.pathname);
  return {
    scheme: 'ssh',
    user: url.username === '' ? undefined : decodeURIComponent(url.username),
    hostname: bareHostname(url),
    port: portOf(url),
    path: /^\/*$/.test(path) ? undefined : path,
  };
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function portOf(url: URL): number | undefined {
  return url.port === '' ? undefined : Number(url.port);
}

function bareHostname(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
