import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { EngineUnreachableError } from '../errors.ts';
import { waitOrAbort } from '../wait-or-abort.ts';
import { connectFailure, errnoOf } from './connect-failure.ts';
import { connectDeadline, dialTcp, hostAndPort } from './tcp.ts';
import { tlsFailure } from './tls-failure.ts';
import type { Transport } from './transport.ts';

/** What to show and what to ask for. Texts are PEM. */
export interface TlsSettings {
  /** Certificates to trust, and no others; absent: those the system trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** Shown to the engine, with its key. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** False takes any certificate, from anybody. Default true. */
  readonly verify?: boolean | undefined;
  /** The name that the engine's certificate must bear, when it is not the one dialled. */
  readonly serverName?: string | undefined;
}

/** An engine behind TLS over TCP. `end()` says goodbye in TLS (close_notify) and goes on reading. */
export class TlsTransport implements Transport {
  readonly #hostname: string;
  readonly #port: number;
  readonly #settings: TlsSettings;

  constructor(hostname: string, port: number, settings: TlsSettings) {
    this.#hostname = hostname;
    this.#port = port;
    this.#settings = settings;
  }

  /** @throws EngineUnreachableError also when one side does not take the other's certificate. */
  async dial(signal: AbortSignal): Promise<Duplex> {
    using late = connectDeadline();
    const scope = AbortSignal.any([signal, late.signal]);
    try {
      const socket = await dialTcp({ host: this.#hostname, port: this.#port }, scope);
      return await this.#secure(socket, scope);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof EngineUnreachableError) throw cause;
      throw tlsFailure(this.describe(), cause) ?? connectFailure(this.describe(), errnoOf(cause), cause);
    }
  }

  describe(): string {
    return `tcp://${hostAndPort(this.#hostname, this.#port)}`;
  }

  async #secure(socket: Socket, signal: AbortSignal): Promise<TLSSocket> {
    // Loaded only by those who speak it: 10 ms.
    const { connect, checkServerIdentity } = await import('node:tls');
    const { ca, cert, key, verify = true, serverName } = this.#settings;
    const settled = Promise.withResolvers<TLSSocket>();
    const secured = connect({
      socket,
      host: this.#hostname,
      rejectUnauthorized: verify,
      checkServerIdentity: (_, peer) => checkNames(serverName ?? this.#hostname, peer, checkServerIdentity),
      ...(ca === undefined ? {} : { ca: textOf(ca) }),
      ...(cert === undefined ? {} : { cert: textOf(cert) }),
      ...(key === undefined ? {} : { key: textOf(key) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
    const onEnd = (): void => settled.reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    secured
      .once('secureConnect', () => settled.resolve(secured))
      .once('error', settled.reject)
      .once('end', onEnd);
    try {
      await waitOrAbort(settled.promise, signal);
    } catch (error) {
      secured.on('error', () => {}).destroy();
      throw error;
    }
    secured.off('error', settled.reject).off('end', onEnd);
    return secured;
  }
}

/** As Go does: the names are those under subjectAltName, and a common name counts for nothing. */
function checkNames(
  hostname: string,
  peer: PeerCertificate | DetailedPeerCertificate,
  check: (hostname: string, peer: PeerCertificate) => Error | undefined,
): Error | undefined {
  if (peer.subjectaltname !== undefined) return check(hostname, peer);
  return Object.assign(new Error('it names no host (subjectAltName)'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

function textOf(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
}
