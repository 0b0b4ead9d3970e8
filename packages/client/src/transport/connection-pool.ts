import type { Duplex } from 'node:stream';
import { waitOrAbort } from '../wait-or-abort.ts';
import { HttpConnection } from './http-connection.ts';
import type { Transport } from './transport.ts';

/** Questions that may wait for their answer's head at once; the next ones wait for their turn. Ours: below a usual limit of 1,024 descriptors. */
export const UNANSWERED_MAX = 500;
/**
 * Idle connections that are kept: as many as somebody who asks all the time asks at once. With docker's 6 (MaxIdleConns), 64 callers dialled for
 * most of their questions, which was a fifth of what a hub did for them.
 */
export const IDLE_MAX = 64;
/** How long they are kept. Source: docker client, IdleConnTimeout. */
const IDLE_MS = 30_000;

/** A connection for one exchange. */
export interface Lease {
  readonly connection: HttpConnection;
  /** It was used before, and the engine may have closed it meanwhile. */
  readonly wasIdle: boolean;
  /** The answer has begun, or there will be none: the next question may be asked. */
  answered(): void;
}

/**
 * The connections to one engine. Streams that an answer turned into are their callers' and count no more.
 *
 * Idle ones do not keep the process alive.
 */
export class ConnectionPool implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #closing = new AbortController();
  readonly #open = new Set<Duplex>();
  readonly #idle: IdleConnection[] = [];
  readonly #waiting: (() => void)[] = [];
  #unanswered = 0;
  #era = 0;
  #hasLooked = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Changes when there was a moment without any connection; undefined during such a moment. */
  get era(): number | undefined {
    return this.#isOpen() ? this.#era : undefined;
  }

  /**
   * A connection to ask on: an idle one, else a new one.
   *
   * @param options.fresh a new one in any case: it will be taken over
   * @throws EngineUnreachableError; the signal's reason; Error 'the client was closed'.
   */
  async lease(signal: AbortSignal, options: { readonly fresh: boolean }): Promise<Lease> {
    const scope = AbortSignal.any([signal, this.#closing.signal]);
    await this.#turn(scope);
    try {
      const idle = options.fresh ? undefined : await this.#takeIdle();
      scope.throwIfAborted();
      const connection = idle ?? (await this.#dial(scope));
      return { connection, wasIdle: idle !== undefined, answered: () => this.#next() };
    } catch (error) {
      this.#next();
      throw error;
    }
  }

  /** Lets the event loop tell which idle connections the engine has closed. */
  async look(): Promise<void> {
    if (this.#idle.length === 0 || this.#hasLooked) return;
    // Two turns, so that there is a poll between them wherever the first one begins.
    for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
    // Whoever asks before the event loop goes on would see the same.
    this.#hasLooked = true;
    setImmediate(() => {
      this.#hasLooked = false;
    });
  }

  /** Takes back a connection on which another exchange can follow. */
  giveBack(connection: HttpConnection): void {
    if (this.#closing.signal.aborted || this.#idle.length >= IDLE_MAX) {
      connection.stream.destroy();
      return;
    }
    const timer = setTimeout(() => connection.stream.destroy(), IDLE_MS).unref();
    this.#idle.push({ connection, timer });
    connection.rest(() => connection.stream.destroy());
  }

  /** Cuts every connection, and resolves when their descriptors are free. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new Error('the client was closed');
    this.#closing.abort(reason);
    await Promise.all([...this.#open].map((stream) => closed(stream)));
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#unanswered < UNANSWERED_MAX) {
      this.#unanswered += 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    try {
      await waitOrAbort(turn.promise, signal);
    } catch (error) {
      const at = this.#waiting.indexOf(turn.resolve);
      if (at === -1) this.#next();
      else this.#waiting.splice(at, 1);
      throw error;
    }
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#unanswered -= 1;
    else next();
  }

  async #takeIdle(): Promise<HttpConnection | undefined> {
    // A POST is never sent twice: so not on a connection that is closed already.
    await this.look();
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      clearTimeout(last.timer);
      if (last.connection.stream.destroyed) continue;
      last.connection.wake();
      return last.connection;
    }
    return undefined;
  }

  /** A connection that the engine has closed is destroyed at once, and gone a little later. */
  #isOpen(): boolean {
    for (const stream of this.#open) if (!stream.destroyed) return true;
    return false;
  }

  async #dial(signal: AbortSignal): Promise<HttpConnection> {
    const stream = await this.#transport.dial(signal);
    if (!this.#isOpen()) this.#era += 1;
    this.#open.add(stream);
    const connection = new HttpConnection(stream);
    stream.once('close', () => {
      this.#open.delete(stream);
      const at = this.#idle.findIndex((idle) => idle.connection === connection);
      if (at !== -1) clearTimeout(this.#idle.splice(at, 1)[0]?.timer);
    });
    return connection;
  }
}

interface IdleConnection {
  readonly connection: HttpConnection;
  readonly timer: NodeJS.Timeout;
}

async function closed(stream: Duplex): Promise<void> {
  if (stream.closed) return;
  const done = Promise.withResolvers<void>();
  stream.once('close', done.resolve);
  stream.destroy();
  await done.promise;
}
