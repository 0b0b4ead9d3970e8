import type { Duplex, Writable } from 'node:stream';
import type { RequestHeaders } from './decode.ts';
import type { Caller } from './call.ts';
import type { SocketReader } from './socket-reader.ts';

/** Header names as sent, with their values. */
export type ResponseHeaders = Record<string, string | number>;

/** The answering half of one request; node:http's ServerResponse is one. */
export interface Answer extends Writable {
  readonly req: { readonly httpVersion: string };
  readonly headersSent: boolean;
  /** Whether the connection stays open behind this answer; decided until the head is sent. */
  shouldKeepAlive: boolean;
  removeHeader(name: string): void;
  writeHead(status: number, headers: ResponseHeaders): unknown;
  /** Sends the head at once, before any body. */
  flushHeaders(): void;
}

/**
 * Says status and headers. The head leaves with the first byte of the body, at the end, or when it is flushed.
 *
 * HTTP/1.1 connections stay open without being told so, and Docker does not say it either.
 */
export function beginAnswer(answer: Answer, status: number, headers: ResponseHeaders): void {
  if (answer.shouldKeepAlive && answer.req.httpVersion === '1.1') answer.removeHeader('Connection');
  answer.writeHead(status, headers);
}

/** A connection taken from the HTTP parser, with everything the client sent behind its request still unread. */
export interface TakenConnection {
  /** To write to and to close. Its errors are listened to; reading is `input`'s. */
  readonly socket: Duplex;
  readonly input: SocketReader;
  /** The client asked for `Upgrade`. */
  readonly upgrade: boolean;
  /** Aborts when the engine drains: the session must end. */
  readonly draining: AbortSignal;
}

/** One request with the means to answer it. */
export interface Exchange {
  readonly method: string;
  /** The request target as the client wrote it. */
  readonly target: string;
  readonly headers: RequestHeaders;
  /** The body, pulled; throws when the client breaks off. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly bodyLength: number | 'chunked';
  readonly caller: Caller;
  readonly hangup: AbortSignal;
  readonly answer: Answer;
  /**
   * Takes the connection away from HTTP for good; undefined when the request's endpoint does not hijack.
   *
   * Throws EngineError when what is left of the request's body is malformed, cut or too large; then it can still be answered.
   */
  readonly take: (() => Promise<TakenConnection>) | undefined;
}

/**
 * How long a body is by its headers.
 *
 * node:http has refused contradicting or repeated lengths before.
 */
export function bodyLengthOf(headers: RequestHeaders): number | 'chunked' {
  if (headers['transfer-encoding'] !== undefined) return 'chunked';
  const length = headers['content-length'];
  return typeof length === 'string' ? Number(length) : 0;
}
