import { once, setMaxListeners } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { EngineError } from '@fairlead/protocol';
import type { OperationBeginner, OperationCaller } from '../core/operation/operation-handle.ts';
import type { ConnectionEnd } from '../lib/connection-pair.ts';
import type { Log } from '../lib/log.ts';
import { API_LIMITS, type ApiLimits } from './api-limits.ts';
import { type ConnectionPeer, ConnectionState, wireRefusal } from './connection-state.ts';
import { serverHeader } from './engine-headers.ts';
import { bodyLengthOf, type Exchange, type TakenConnection } from './exchange.ts';
import { handleExchange, type HandleDeps, type RoutedRoute } from './handle.ts';
import { hijackingRequests } from './hijacking-requests.ts';
import { Hangup, watchHangup } from './hangup.ts';
import { closeLingering, within } from './linger.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import { http } from './node-http.ts';
import { notServedRouter } from './not-served.ts';
import { parseTarget, Router } from './router.ts';
import type { Route } from './route.ts';
import { SocketReader } from './socket-reader.ts';
import { TakenBody } from './taken-body.ts';

/** A connection, as node:http types it: node:net is the host room's. */
export type Connection = IncomingMessage['socket'];

export interface ApiDeps {
  readonly routes: readonly Route[];
  readonly operations: OperationBeginner;
  readonly log: Log;
  readonly engineVersion: string;
  /** The host's `readPeerCredentials`. */
  readonly peerOf: (connection: Connection) => OperationCaller['peer'];
  readonly socketPaths: SocketPaths;
  readonly limits?: Partial<ApiLimits>;
}

/** What the host does about unix sockets' files. */
export interface SocketPaths {
  /** Makes way at a path. @throws EngineError when somebody is there. */
  claim(path: string): Promise<void>;
  /** Runs `listen` so that the socket's file has mode 0660 from the first moment. */
  bind(listen: () => void): void;
  /** Gives the file to the group `docker`, if there is one. */
  share(path: string): Promise<void>;
}

/** Serves the API. Disposing closes at once. */
export interface Api extends AsyncDisposable {
  /** Resolves with the address when connections are accepted. @throws EngineError when the address is taken. */
  listen(address: ListenAddress): Promise<ListenAddress>;
  /** Serves a connection that was made without a socket; `address` is how its caller shows up in the ledger. */
  serve(connection: ConnectionEnd, address: string): void;
  /**
   * Stops accepting, ends streams and sessions, and lets requests under way finish; what is still open after `withinMs`
   * milliseconds is cut. Resolves when every connection is closed.
   */
  close(withinMs: number): Promise<void>;
}

/** How long a connection may wait to be taken over while its last answer is still on its way, in milliseconds. Ours. */
const TAKE_OVER_MS = 1_000;
/** The kernel's own default of two hours finds a dead peer too late. Source: Go's net.ListenConfig. */
const TCP_KEEP_ALIVE_MS = 15_000;

/** Makes the API of these routes. @throws EngineError 'internal' when two routes have the same method and path. */
export function createApi(deps: ApiDeps): Api {
  return new ApiServer(deps);
}

class ApiServer implements Api {
  readonly #deps: ApiDeps;
  readonly #limits: ApiLimits;
  readonly #handling: HandleDeps;
  readonly #draining = new AbortController();
  readonly #servers = new Set<Server>();
  #unbound: Server | undefined;
  readonly #unboundConnections = new Set<ConnectionEnd>();
  readonly #connections = new Map<Duplex, ConnectionState>();
  readonly #answers = new Set<ServerResponse>();

  constructor(deps: ApiDeps) {
    this.#deps = deps;
    this.#limits = { ...API_LIMITS, ...deps.limits };
    const { operations, log } = deps;
    const rows = deps.routes.map((route): RoutedRoute => ({ ...route.endpoint, route }));
    const server = serverHeader(deps.engineVersion);
    const router = new Router(rows);
    this.#handling = { router, notServed: notServedRouter(), operations, log, limits: this.#limits, server };
    // One listener per request under way.
    setMaxListeners(0, this.#draining.signal);
  }

  async listen(address: ListenAddress): Promise<ListenAddress> {
    const server = this.#createServer();
    if (address.kind === 'unix') await this.#deps.socketPaths.claim(address.path);
    try {
      const listening = once(server, 'listening');
      if (address.kind === 'unix') this.#deps.socketPaths.bind(() => void server.listen(address.path));
      else server.listen(address.port, address.host);
      await listening;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError('conflict', `Cannot listen on ${formatListenAddress(address)}: ${why}`, { cause });
    }
    this.#servers.add(server);
    server.on('error', (error) => this.#deps.log.failure('api.listener.failed', error));
    if (address.kind === 'unix') await this.#deps.socketPaths.share(address.path);
    const bound = server.address();
    return address.kind === 'tcp' && typeof bound === 'object' && bound !== null
      ? { ...address, port: bound.port }
      : address;
  }

  serve(connection: ConnectionEnd, address: string): void {
    // node:http serves any Duplex; that it listens nowhere does not matter to it.
    this.#unbound ??= this.#createServer();
    this.#unboundConnections.add(connection);
    connection.once('close', () => this.#unboundConnections.delete(connection));
    this.#track(connection, { peer: undefined, address });
    this.#unbound.emit('connection', connection);
    if (this.#draining.signal.aborted) connection.destroy();
  }

  async close(withinMs: number): Promise<void> {
    const closed = [...this.#servers].map(closeServer);
    this.#draining.abort(new Hangup('draining'));
    closed.push(...[...this.#unboundConnections].map((connection) => this.#closeUnbound(connection)));
    // An answer whose head is still to come says that its connection closes.
    for (const answer of this.#answers) if (!answer.headersSent) answer.shouldKeepAlive = false;
    const timer = setTimeout(() => {
      for (const connection of this.#connections.keys()) connection.destroy();
    }, withinMs);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0);
  }

  #createServer(): Server {
    const isHijack = (request: IncomingMessage): boolean => this.#isHijack(request);
    const server = http.createServer({
      IncomingMessage: hijackingRequests(isHijack),
      shouldUpgradeCallback: isHijack,
      maxHeaderSize: this.#limits.headBytes,
      headersTimeout: this.#limits.headMs,
      connectionsCheckingInterval: Math.ceil(this.#limits.headMs / 4),
      // A wait or an upload may last for hours, and an idle connection belongs to its client.
      requestTimeout: 0,
      keepAliveTimeout: 0,
      requireHostHeader: false,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    });
    // A field of Node's that its types do not know: the answer is still written to a client that half-closed.
    Object.assign(server, { httpAllowHalfOpen: true });
    server.maxConnections = this.#limits.connections;
    server.on('connection', (connection: Connection) => this.#onConnection(connection));
    server.on('request', (request, answer) => this.#onRequest(request, answer));
    server.on('upgrade', (request, connection, head) => {
      this.#onHijack(server, request, head).catch((error: unknown) => {
        this.#deps.log.failure('api.hijack.failed', error);
        connection.destroy();
      });
    });
    server.on('connect', ({ socket }) => {
      socket.on('error', ignore);
      void this.#connections.get(socket)?.refuse(wireRefusal('CONNECT'));
    });
    server.on('clientError', (error, connection) => {
      const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
      // Nothing was ever sent: a connection that a client opened ahead of its need, or that broke.
      const isSilent = code === 'ERR_HTTP_REQUEST_TIMEOUT' && 'bytesRead' in connection && connection.bytesRead === 0;
      if (isSilent) connection.destroy();
      else void this.#connections.get(connection)?.refuse(wireRefusal(code));
    });
    server.on('drop', () => this.#deps.log.warning('api.connection.dropped', { limit: this.#limits.connections }));
    return server;
  }

  #isHijack(request: IncomingMessage): boolean {
    const { method = '', url = '', headers } = request;
    // A WebSocket that is not asked for by its handshake is refused like any other request.
    if (method !== 'POST' && (method !== 'GET' || headers.upgrade === undefined)) return false;
    try {
      const kind = this.#handling.router.match(method, parseTarget(url))?.row.route.endpoint.response.kind;
      return kind === 'hijack' || kind === 'web-socket';
    } catch {
      // A path that cannot be read is refused where requests are answered.
      return false;
    }
  }

  #onConnection(connection: Connection): void {
    // A connection that a hijack gave back is announced again.
    if (this.#connections.has(connection)) return;
    const address =
      connection.remoteAddress === undefined ? undefined : `${connection.remoteAddress}:${connection.remotePort}`;
    this.#track(connection, { peer: this.#deps.peerOf(connection), address });
  }

  #track(connection: Connection | ConnectionEnd, peer: ConnectionPeer): void {
    const state = new ConnectionState(connection, { peer, log: this.#deps.log, limits: this.#limits });
    const closeSoon = connection.destroySoon.bind(connection);
    // node:http closes behind its last answer; of a request whose body is still coming, `#answer` reads the rest first.
    connection.destroySoon = () => void (state.receiving?.complete === false ? connection.end() : closeSoon());
    this.#connections.set(connection, state);
    connection.once('close', () => this.#connections.delete(connection));
  }

  /** What node:http does for those that it has accepted itself: an idle connection is closed, the others close behind their answer. */
  async #closeUnbound(connection: ConnectionEnd): Promise<void> {
    const closed = once(connection, 'close');
    const state = this.#connections.get(connection);
    await state?.queue.idle;
    if (state?.isTaken !== true) connection.destroySoon();
    await closed;
  }

  #onRequest(request: IncomingMessage, answer: ServerResponse): void {
    const state = this.#connections.get(request.socket);
    if (state?.queue.add(() => this.#answer(request, answer, state)) === true) return;
    this.#deps.log.event('api.connection.flooded', { pipelined: this.#limits.pipelined });
    request.socket.destroy();
  }

  async #answer(request: IncomingMessage, answer: ServerResponse, state: ConnectionState): Promise<void> {
    const connection = request.socket;
    // Its client left while it waited for the requests before it, so nothing of it was begun.
    if (connection.destroyed) return;
    state.receiving = request;
    this.#answers.add(answer);
    using watch = watchHangup({ connection, answer, halfClose: true }, this.#draining.signal);
    const onEnd = (): void => {
      if (!answer.headersSent) answer.shouldKeepAlive = false;
    };
    connection.once('end', onEnd);
    const closed = whenAnswered(answer);
    const exchange = {
      ...headOf(request, state),
      bytes: bodyOf(request),
      hangup: watch.signal,
      answer,
      take: undefined,
    };
    await handleExchange(this.#handling, exchange);
    await closed;
    connection.off('end', onEnd);
    this.#answers.delete(answer);
    if (!request.complete && !connection.destroyed) await finishBody(request, this.#limits.unreadBodyMs);
    if (this.#draining.signal.aborted || connection.writableEnded) connection.destroySoon();
  }

  /** The parser has let go of the connection: what follows the request's head is ours to read. */
  async #onHijack(server: Server, request: IncomingMessage, head: Buffer): Promise<void> {
    const connection = request.socket;
    connection.on('error', ignore);
    const state = this.#connections.get(connection);
    if (state === undefined || !(await within(state.queue.idle, TAKE_OVER_MS))) {
      connection.destroy();
      return;
    }
    const answer = new http.ServerResponse(request);
    answer.shouldKeepAlive = keepsAlive(request);
    answer.assignSocket(connection);
    using watch = watchHangup({ connection, answer, halfClose: false }, this.#draining.signal);
    const closed = whenAnswered(answer);
    const input = new SocketReader(connection, head);
    const body = new TakenBody(input, bodyLengthOf(request.headers), () => {
      if (request.headers.expect !== undefined) connection.write(CONTINUE);
    });
    let isTaken = false;
    const take = async (): Promise<TakenConnection> => {
      await body.skip(this.#limits.bodyBytes);
      isTaken = true;
      state.isTaken = true;
      answer.detachSocket(connection);
      return {
        socket: connection,
        input,
        upgrade: request.headers.upgrade !== undefined,
        draining: this.#draining.signal,
      };
    };
    const exchange = { ...headOf(request, state), bytes: body.bytes, hangup: watch.signal, answer, take };
    await handleExchange(this.#handling, exchange);
    if (isTaken) return;
    await closed;
    answer.detachSocket(connection);
    input[Symbol.dispose]();
    if (connection.destroyed) return;
    if (!body.done) return await closeLingering(connection, this.#limits.unreadBodyMs);
    if (!answer.shouldKeepAlive || this.#draining.signal.aborted) return connection.destroySoon();
    connection.off('error', ignore);
    server.emit('connection', connection);
  }
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** For errors of a connection: 'close' follows every one of them, and that is what everyone listens to. */
function ignore(): void {}

function headOf(
  request: IncomingMessage,
  state: ConnectionState,
): Pick<Exchange, 'method' | 'target' | 'headers' | 'bodyLength' | 'caller'> {
  const { headers, method = '', url = '' } = request;
  return { method, target: url, headers, bodyLength: bodyLengthOf(headers), caller: state.caller(headers) };
}

function keepsAlive({ httpVersion, headers }: IncomingMessage): boolean {
  const options = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  return httpVersion === '1.1' ? !options.includes('close') : options.includes('keep-alive');
}

/** Resolves when the answer was handed to the kernel, or can no longer be. */
async function whenAnswered(answer: ServerResponse): Promise<void> {
  const done = Promise.withResolvers<void>();
  answer.once('finish', done.resolve);
  answer.once('close', done.resolve);
  if (answer.destroyed) done.resolve();
  await done.promise;
}

/** The body, pulled. Leaving it half read leaves the connection alone. @throws Hangup when the client breaks off. */
async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  } catch (error) {
    if (request.destroyed) throw new Hangup('closed');
    throw error;
  }
}

/** Throws away what is left of an answered request's body; whoever sends on for too long is cut off. */
async function finishBody(request: IncomingMessage, withinMs: number): Promise<void> {
  const ended = Promise.withResolvers<void>();
  request.once('end', ended.resolve);
  request.once('close', ended.resolve);
  request.resume();
  if (!(await within(ended.promise, withinMs))) request.socket.destroy();
}

async function closeServer(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
}
