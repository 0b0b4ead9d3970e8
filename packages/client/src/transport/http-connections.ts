import type { Readable, Writable } from 'node:stream';
import { isEngineError } from '@fairlead/protocol';
import { ConnectionPool } from './connection-pool.ts';
import type { HttpConnection } from './http-connection.ts';
import type { HttpHeaders, HttpRequest } from './http-head.ts';
import { tlsFailure } from './tls-failure.ts';
import type { Transport } from './transport.ts';

/** The head of an answer, and its body still to be read. Whoever gets it reads `body` to its end or destroys it. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Readable;
}

/** An answer that turned the connection into a two-way stream. */
export interface HijackedAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly output: Readable;
  /** `end()` is the half-close. */
  readonly input: Writable;
}

/** What the connection itself did wrong, before the answer's head was there. `cause` is the stream's error. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken';
  /** An idle connection was used again, and the engine had closed it meanwhile. */
  readonly wasIdle: boolean;

  constructor(cause: Error, wasIdle: boolean) {
    super(cause.message, { cause });
    this.wasIdle = wasIdle;
  }
}

/**
 * HTTP/1.1 over a transport: idle connections are used again; no time limit of its own anywhere.
 *
 * Node's own client is not used: it cannot be told to give up a dial, knows no half-close behind a 200, takes 5 ms to load, and
 * other runtimes have it only in part. Disposing cuts every connection, those taken over included.
 */
export class HttpConnections implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #pool: ConnectionPool;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#pool = new ConnectionPool(transport);
  }

  /** As a person would write it. */
  get address(): string {
    return this.#transport.describe();
  }

  /** Changes when there was a moment without any connection: who answers then may be another engine. Undefined during such a moment. */
  async era(): Promise<number | undefined> {
    await this.#pool.look();
    return this.#pool.era;
  }

  /**
   * Sends a request and resolves with the answer's head.
   *
   * @throws EngineUnreachableError, ConnectionBroken; the signal's reason when aborted, which also frees the connection.
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { head, body } = await this.#exchange(request, signal, false);
    return { ...head, body };
  }

  /**
   * Sends a request that asks for the connection itself, `Upgrade: tcp` unless its headers say another. The signal ends it also later.
   *
   * @returns the two-way stream (101, or 200 from engines that do not upgrade), or a plain answer with another status.
   */
  async hijack(request: HttpRequest, signal: AbortSignal): Promise<HijackedAnswer | HttpAnswer> {
    const headers = { Upgrade: 'tcp', ...request.headers, Connection: 'Upgrade' };
    const { head, body, connection } = await this.#exchange({ ...request, headers }, signal, true);
    const { status } = head;
    if (status !== 101 && status !== 200) return { ...head, body };
    return { ...head, output: body, input: connection.stream };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #exchange(
    request: HttpRequest,
    signal: AbortSignal,
    hijack: boolean,
  ): Promise<Awaited<ReturnType<HttpConnection['exchange']>> & { readonly connection: HttpConnection }> {
    const lease = await this.#pool.lease(signal, { fresh: hijack });
    const { connection, wasIdle } = lease;
    const abort = (): void => void connection.stream.destroy(asError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    // The signal ends the body as well, so the listener stays until the connection is done with.
    const unlisten = (): void => signal.removeEventListener('abort', abort);
    connection.stream.once('close', unlisten);
    try {
      const exchanged = await connection.exchange(request, hijack, (reusable) => {
        unlisten();
        connection.stream.off('close', unlisten);
        if (reusable) this.#pool.giveBack(connection);
      });
      return { ...exchanged, connection };
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#failure(error, wasIdle);
    } finally {
      lease.answered();
    }
  }

  #failure(error: unknown, wasIdle: boolean): unknown {
    // What a transport or a body's source says is said in its own words.
    if (isEngineError(error)) return error;
    const cause = asError(error);
    return tlsFailure(this.#transport.describe(), cause) ?? new ConnectionBroken(cause, wasIdle);
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause), { cause });
}
