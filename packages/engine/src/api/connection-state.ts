import type { Duplex } from 'node:stream';
import type { OperationCaller } from '../core/operation/operation-handle.ts';
import type { Log } from '../lib/log.ts';
import type { ApiLimits } from './api-limits.ts';
import { ConnectionQueue } from './connection-queue.ts';
import { firstHeader, type RequestHeaders } from './decode.ts';
import { JSON_TYPE } from './engine-headers.ts';
import { failureDocument } from './fail.ts';
import { closeLingering } from './linger.ts';

/** Who is at the other end of a connection; asked once. */
export type ConnectionPeer = Pick<OperationCaller, 'peer' | 'address'>;

type ConnectionLimits = Pick<ApiLimits, 'pipelined' | 'unreadBodyMs'>;

/** Ours: enough to recognise a client. */
const USER_AGENT_CHARS_MAX = 256;

/** What the API knows about one connection beside its current request. */
export class ConnectionState {
  readonly queue: ConnectionQueue;
  /** The request under way, or the last one. */
  receiving: { readonly complete: boolean } | undefined;
  /** The connection was taken over: what becomes of it is its session's. */
  isTaken = false;
  readonly #connection: Duplex;
  readonly #log: Log;
  readonly #peer: ConnectionPeer;
  readonly #unreadBodyMs: number;
  #broken = false;

  constructor(
    connection: Duplex,
    options: { readonly peer: ConnectionPeer; readonly log: Log; readonly limits: ConnectionLimits },
  ) {
    this.queue = new ConnectionQueue(options.limits.pipelined);
    this.#unreadBodyMs = options.limits.unreadBodyMs;
    this.#connection = connection;
    this.#log = options.log;
    this.#peer = options.peer;
  }

  /** Who sent a request with these headers. */
  caller(headers: RequestHeaders): OperationCaller {
    return { ...this.#peer, userAgent: (firstHeader(headers, 'user-agent') ?? '').slice(0, USER_AGENT_CHARS_MAX) };
  }

  /**
   * Ends a connection that no longer speaks HTTP: once with words, when nothing of another answer was begun on it.
   *
   * Requests before the broken one are answered first. Only the first call counts.
   */
  async refuse(refusal: WireRefusal): Promise<void> {
    if (this.#broken) return;
    this.#broken = true;
    // Whatever it was, its answer is there, and no other one follows.
    if (!this.#connection.writable) return void this.#connection.destroy();
    this.#log.event('api.request.malformed', { code: refusal.code, status: refusal.status, ...this.#peer });
    // While a body is being read the broken bytes are its own, and nobody will ever be able to answer it.
    if (this.receiving?.complete !== false) await this.queue.idle;
    if (this.#connection.writable) this.#connection.write(refusalText(refusal));
    await closeLingering(this.#connection, this.#unreadBodyMs);
  }
}

/** A refusal of bytes that are no request. */
export interface WireRefusal {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  /** The HTTP parser's or the kernel's code, for the log. */
  readonly code: string;
}

/** What to say to a connection whose bytes the HTTP parser refused. Codes: llhttp's and Node's. */
export function wireRefusal(code: string): WireRefusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { code, status: 431, reason: 'Request Header Fields Too Large', message: 'request headers are too large' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { code, status: 413, reason: 'Payload Too Large', message: 'chunk extensions are too large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { code, status: 408, reason: 'Request Timeout', message: 'request headers did not arrive in time' };
    default:
      return { code, status: 400, reason: 'Bad Request', message: 'malformed HTTP request' };
  }
}

function refusalText({ status, reason, message }: WireRefusal): string {
  const body = failureDocument(message);
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
