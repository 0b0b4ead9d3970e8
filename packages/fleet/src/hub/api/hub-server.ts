import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, STATUS_CODES, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '@fairlead/protocol';
import { roleIncludes } from '@fairlead/protocol/fleet';
import { closeWhenAnswered } from '../../lib/close-when-answered.ts';
import { asHubError, HubError, STATUS_BY_CODE } from '../operation/hub-error.ts';
import { authenticate, sourceOf } from './authenticate.ts';
import type { Answer, Endpoint, HubParts } from './endpoint.ts';
import { readJsonBody } from './read-body.ts';
import { HubRouter } from './router.ts';
import { writeSse } from './sse.ts';

/** Heads of requests, bytes. Tokens and host ids are short. */
const HEAD_BYTES_MAX: number = 16 * 1024;
/** Agents' links, followers and callers of one hub together. */
const CONNECTIONS_MAX = 30_000;
/** A head, and a whole request, must be here within this. */
const HEAD_WITHIN_MS = 15_000;
const REQUEST_WITHIN_MS = 60_000;
/** Idle connections are kept for the next request. */
const KEEP_ALIVE_MS = 75_000;
/** Finds a dead peer. */
const TCP_KEEP_ALIVE_MS = 15_000;

/** Takes over a connection that asks for an upgrade. It owns the socket from then on, and throws only before it has answered. */
export interface UpgradeEndpoint {
  readonly method: 'GET';
  readonly path: string;
  readonly open: (request: IncomingMessage, socket: Duplex, context: UpgradeContext) => Promise<void>;
}

/** What is known of a connection that asks for an upgrade. */
export interface UpgradeContext {
  /** What stands for `:name` in the path. */
  readonly params: Readonly<Record<string, string>>;
  /** It came over the unix socket. */
  readonly isLocal: boolean;
}

/** Where the API listens. */
export type HubListen =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: HubTls | undefined };

/** Certificate chain and key, PEM. */
export interface HubTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** A request that is being answered. */
interface Underway {
  readonly hangup: AbortController;
  /** Whose it is, once that is known. */
  actor: string | undefined;
}

/** The hub's HTTP API over any number of listeners. Disposing closes every connection. */
export class HubServer implements AsyncDisposable {
  readonly #parts: HubParts;
  readonly #router: HubRouter;
  readonly #upgrades: HubRouter<UpgradeEndpoint>;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Duplex>();
  readonly #underway = new Set<Underway>();

  constructor(parts: HubParts, rows: readonly Endpoint[], upgrades: readonly UpgradeEndpoint[]) {
    this.#parts = parts;
    this.#router = new HubRouter(rows);
    this.#upgrades = new HubRouter(upgrades);
    // Who waits is answered with how far it is; a stream of events ends.
    parts.accounts.onRemoved((name) => {
      for (const { actor, hangup } of this.#underway) if (actor === name) hangup.abort();
    });
  }

  /** Resolves with the port, 0 for a unix socket. @throws EngineError 'conflict' when the address is taken. */
  async listen(listen: HubListen): Promise<number> {
    const server = this.#create(listen);
    try {
      const listening = once(server, 'listening');
      if (listen.kind === 'unix') bindPrivately(() => void server.listen(listen.path));
      else server.listen(listen.port, listen.host);
      await listening;
    } catch (cause) {
      const where = listen.kind === 'unix' ? listen.path : `${listen.host}:${listen.port}`;
      throw new EngineError('conflict', `the hub cannot listen on ${where}`, { cause });
    }
    this.#servers.push(server);
    server.on('error', (error) => this.#parts.log.failure('hub.listener.failed', error));
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { hangup } of this.#underway) hangup.abort();
    const closed = this.#servers.map((server) => once(server, 'close'));
    for (const server of this.#servers) server.close();
    // Those who wait are answered with how far it is; then everything ends.
    await new Promise((resolve) => void setImmediate(resolve));
    for (const server of this.#servers) server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #create(listen: HubListen): Server {
    const options = {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: HEAD_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      noDelay: true,
    };
    const isTls = listen.kind === 'tcp' && listen.tls !== undefined;
    const server = isTls
      ? createTlsServer({ ...options, ...listen.tls, minVersion: 'TLSv1.2' })
      : createServer({ ...options, requireHostHeader: false });
    server.maxConnections = CONNECTIONS_MAX;
    const isLocal = listen.kind === 'unix';
    server.on('request', (request, response) => {
      this.#serve(request, response, isLocal).catch((error: unknown) => {
        this.#parts.log.failure('hub.answer.failed', error);
        response.destroy();
      });
    });
    server.on('upgrade', (request, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      void this.#upgrade(request, socket, isLocal);
    });
    return server;
  }

  async #serve(request: IncomingMessage, response: ServerResponse, isLocal: boolean): Promise<void> {
    const underway: Underway = { hangup: new AbortController(), actor: undefined };
    this.#underway.add(underway);
    response.once('close', () => {
      this.#underway.delete(underway);
      if (!response.writableFinished) underway.hangup.abort();
    });
    try {
      const answer = await this.#answer(request, { isLocal, underway });
      if ('stream' in answer) return await writeSse(response, answer.stream, underway.hangup.signal);
      if ('bytes' in answer) return await sendBytes(response, answer);
      sendJson(response, answer.status, answer.body);
    } catch (error) {
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      const refusal = asHubError(error);
      if (refusal.code === 'INTERNAL') this.#parts.log.failure('hub.request.failed', error, { url: request.url });
      // What is left of the body is not read: the connection ends behind the answer.
      if (!request.complete) response.shouldKeepAlive = false;
      sendJson(response, STATUS_BY_CODE[refusal.code], refusal.body);
    }
  }

  async #answer(
    request: IncomingMessage,
    context: { readonly isLocal: boolean; readonly underway: Underway },
  ): Promise<Answer> {
    const { method = '', url = '' } = request;
    const at = url.indexOf('?');
    const path = at === -1 ? url : url.slice(0, at);
    const match = this.#router.match(method, path);
    if (match === undefined) throw notFound(this.#router, method, path);
    const { row, params } = match;
    // Who asks is decided before anything of what is asked is looked at.
    const caller =
      row.role === null
        ? { actor: { name: '', role: 'view' as const }, from: context.isLocal ? 'unix' : sourceOf(request) }
        : authenticate(this.#parts, request, context.isLocal);
    context.underway.actor = caller.actor.name;
    if (row.role !== null && !roleIncludes(caller.actor.role, row.role)) {
      throw new HubError('FORBIDDEN', `this needs the role ${row.role}; ${caller.actor.name} has ${caller.actor.role}`);
    }
    const body = row.bodyBytesMax === 0 ? undefined : await readJsonBody(request, row.bodyBytesMax);
    const query = new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
    return await row.answer(this.#parts, {
      ...caller,
      params,
      query,
      headers: request.headers,
      body,
      signal: context.underway.hangup.signal,
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, isLocal: boolean): Promise<void> {
    socket.on('error', ignore);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const [path = ''] = (request.url ?? '').split('?');
    try {
      const match = this.#upgrades.match(request.method ?? '', path);
      if (match === undefined) throw new HubError('NOT_FOUND', `nothing to upgrade to at ${path}`);
      await match.row.open(request, socket, { params: match.params, isLocal });
    } catch (error) {
      const refusal = asHubError(error);
      if (refusal.code === 'INTERNAL') this.#parts.log.failure('hub.upgrade.failed', error, { url: request.url });
      socket.end(rawAnswer(STATUS_BY_CODE[refusal.code], refusal.body));
      closeWhenAnswered(socket);
    }
  }
}

/** The file of a unix socket is made in `listen`, with a mode that lets in nobody but its owner from the first moment. */
function bindPrivately(listen: () => void): void {
  const mask = process.umask(0o177);
  try {
    listen();
  } finally {
    process.umask(mask);
  }
}

function notFound(router: HubRouter, method: string, path: string): HubError {
  return router.hasPath(path)
    ? new HubError('INVALID', `${method} is not served at ${path}`)
    : new HubError('NOT_FOUND', `no such page: ${path}`);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}

/** Rejects in the middle when it cannot go on: then the connection is cut, and nobody takes it for the whole. */
async function sendBytes(
  response: ServerResponse,
  { bytes, type }: Extract<Answer, { bytes: unknown }>,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  await pipeline(bytes, response);
}

function rawAnswer(status: number, body: object): string {
  const text = JSON.stringify(body);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    '',
    text,
  ].join('\r\n');
}

/** For errors of a socket that was taken over: 'close' follows, and that is what everybody listens to. */
function ignore(): void {}
