import { chmodSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Client, EngineUnreachableError } from '@fairlead/client';
import type { BodyWishes } from './body-keeper.ts';
import { Conversation } from './conversation.ts';
import { tap } from './tap.ts';
import type { TraceEvent } from './trace-event.ts';

/** Where clients connect. */
export type ListenAddress =
  | { readonly scheme: 'unix'; readonly path: string }
  | { readonly scheme: 'tcp'; readonly hostname: string; readonly port: number };

export interface ProxyOptions {
  readonly listen: ListenAddress;
  /** Only its way to the engine is used: `dial`. */
  readonly engine: Client;
  readonly wishes: BodyWishes;
  /** Milliseconds since the trace began. */
  readonly nowMs: () => number;
  readonly tell: (event: TraceEvent) => void;
}

/** Only whoever may use the engine's own socket is to use this one: its owner. */
const SOCKET_MODE = 0o600;

/**
 * Stands between clients and an engine, lets every byte through, and tells what it saw. Disposing closes it and every connection.
 *
 * @throws what listen(2) says; Error when something else has the socket's path.
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  if (options.listen.scheme === 'unix') await removeStale(options.listen.path);
  const proxy = new Proxy(options);
  await proxy.listen();
  return proxy;
}

/** See `startProxy`. */
export class Proxy implements AsyncDisposable {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #open = new Map<Socket, Promise<void>>();
  readonly #dialing = new AbortController();
  #connections = 0;
  #exchanges = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#open.set(
        client,
        this.#serve(client).finally(() => this.#open.delete(client)),
      );
    });
  }

  get openConnections(): number {
    return this.#open.size;
  }

  async listen(): Promise<void> {
    const { listen } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const where = listen.scheme === 'unix' ? { path: listen.path } : { host: listen.hostname, port: listen.port };
    this.#server.once('error', reject).listen(where, resolve);
    // The path is made at once; before this tick ends nobody can have connected.
    if (listen.scheme === 'unix' && this.#server.listening) chmodSync(listen.path, SOCKET_MODE);
    await promise;
  }

  /** Resolves when every connection has ended, or when it has taken too long. */
  async idle(withinMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, withinMs);
    await Promise.race([Promise.all(this.#open.values()), late.promise]);
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dialing.abort(new Error('the trace ended'));
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const client of this.#open.keys()) client.destroy();
    await Promise.all([closed, ...this.#open.values()]);
  }

  async #serve(client: Socket): Promise<void> {
    const { engine: way, listen, nowMs, tell, wishes } = this.#options;
    const connection = (this.#connections += 1);
    tell({ type: 'connect', connection, atMs: nowMs() });
    const nextExchange = (): number => (this.#exchanges += 1);
    const conversation = new Conversation({ connection, wishes, nextExchange, tell }, nowMs());
    try {
      const engine = await way.dial(this.#dialing.signal);
      tell({ type: 'connected', connection, atMs: nowMs() });
      const ends = {
        client: { socket: client, unix: listen.scheme === 'unix' },
        engine: { socket: engine, unix: way.address.startsWith('unix:') },
      };
      await tap(ends.client, ends.engine, {
        bytes: (side, bytes) =>
          side === 'client' ? conversation.fromClient(bytes, nowMs()) : conversation.fromEngine(bytes, nowMs()),
        ended: (side, how) => conversation.ended(side, how, nowMs()),
      });
    } catch (error) {
      const errno = error instanceof EngineUnreachableError ? error.errno : 'UNKNOWN';
      tell({
        type: 'connect-failed',
        connection,
        errno,
        message: String(error instanceof Error ? error.message : error),
        atMs: nowMs(),
      });
      client.on('error', () => {}).destroy();
    }
    conversation.closed(nowMs());
  }
}

/** A socket that nobody listens on is left by a program that was killed; one that somebody does is not ours to take. */
async function removeStale(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const probe = connect({ path }, () => resolve('in use')).on('error', (error) =>
    resolve('code' in error ? String(error.code) : ''),
  );
  const found = await promise;
  probe.destroy();
  if (found === 'in use') throw new Error(`${path} is in use: another program listens there`);
  const { stat } = await import('node:fs/promises');
  const isSocket = await stat(path).then(
    (it) => it.isSocket(),
    () => undefined,
  );
  if (isSocket === false) throw new Error(`${path} is there already, and no socket`);
  if (isSocket === true) await rm(path);
}
