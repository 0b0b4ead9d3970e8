import { createServer, IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { EngineError, isEngineError, JSON_BODY_BYTES_MAX, parseJson } from '@fairlead/protocol';
import { type FleetActor, roleIncludes } from '@fairlead/protocol/fleet';
import type { FleetLog } from '../../lib/log.ts';
import type { Denial } from '../policy/policy.ts';
import { type Access, accessOf } from './access.ts';
import { EngineForwarder } from './engine-forwarder.ts';
import { needsAdmin } from './privileged.ts';
import { type Refusal, refuse, refuseUpgrade } from './refuse.ts';

export interface GatewayDeps {
  /** A connection to the host's engine. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** What this host's policy says of a request. `body` is a create's or an exec's document. */
  readonly deny: (access: Access, actor: FleetActor, body: unknown) => Promise<Denial | undefined>;
  readonly log: FleetLog;
}

/** What is in these bodies decides who may send them. */
const JUDGED_BODIES: ReadonlySet<string> = new Set(['container.create', 'exec.create']);

/**
 * Speaks the engine's API with those who come through the fleet: every request is judged by its row of the endpoint table, by the
 * actor's role and by this host's policy before the engine sees it. What is no row does not pass.
 */
export class EngineGateway implements AsyncDisposable {
  readonly #deps: GatewayDeps;
  readonly #server: Server;
  readonly #forwarder: EngineForwarder;
  readonly #actors = new WeakMap<object, FleetActor>();

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#forwarder = new EngineForwarder(deps.dial);
    // A wait may last for days, and the session notices a caller that is gone: no time limit of Node's.
    const limits = { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 };
    this.#server = createServer({ ...limits, IncomingMessage: TakingRequest });
    this.#server.timeout = 0;
    this.#server.on('request', (request, answer) => void this.#request(request, answer));
    this.#server.on('upgrade', (request, connection, head) => void this.#upgrade(request, connection, head));
    this.#server.on('clientError', (_, connection) =>
      refuseUpgrade(connection, { status: 400, message: 'this is no HTTP' }),
    );
  }

  /** Serves one connection; it owns the stream from now on. */
  serve(connection: Duplex, actor: FleetActor): void {
    this.#actors.set(connection, actor);
    this.#server.emit('connection', connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forwarder[Symbol.dispose]();
    this.#server.close();
  }

  async #request(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    try {
      const access = accessOf(request.method ?? '', request.url ?? '');
      const isJudged = JUDGED_BODIES.has(access?.endpoint.name ?? '');
      const document = isJudged ? parseJson(await wholeBody(request)) : undefined;
      const refusal = await this.#judge(request, access, document);
      if (refusal !== undefined) return refuse(answer, refusal);
      // What was judged is what is sent: a key that came twice is read in one way here and in another there.
      await this.#forwarder.forward(request, answer, isJudged ? JSON.stringify(document) : undefined);
    } catch (error) {
      this.#failed(error, request);
      if (answer.headersSent) answer.destroy();
      else refuse(answer, unreachable(error));
    }
  }

  async #upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    try {
      const access = accessOf(request.method ?? '', request.url ?? '');
      const refusal = await this.#judge(request, access, undefined);
      if (refusal !== undefined) return refuseUpgrade(connection, refusal);
      if (isChunked(request)) {
        const message = 'a request that takes the connection has to say how long its body is';
        return refuseUpgrade(connection, { status: 400, message });
      }
      await this.#forwarder.forwardUpgrade(request, connection, head);
    } catch (error) {
      this.#failed(error, request);
      refuseUpgrade(connection, unreachable(error));
    }
  }

  async #judge(
    { method = '', url = '', socket }: IncomingMessage,
    access: Access | undefined,
    body: unknown,
  ): Promise<Refusal | undefined> {
    const actor = this.#actors.get(socket);
    if (access === undefined || actor === undefined) return { status: 404, message: 'page not found' };
    const { log } = this.#deps;
    const asked = { actor: actor.name, role: actor.role, method, path: url.split('?')[0] };
    const needs = needsAdmin(access.endpoint.name, body) ? 'admin' : access.needs;
    if (!roleIncludes(actor.role, needs)) {
      log.warning('agent.gateway.refused', { ...asked, needs });
      return { status: 403, message: `${actor.name} may ${actor.role}; this takes the role ${needs}` };
    }
    const denial = await this.#deps.deny(access, actor, body);
    if (denial !== undefined) {
      log.warning('agent.gateway.denied', { ...asked, rule: denial.rule });
      return { status: 403, message: `denied by this host's policy (${denial.rule}): ${denial.message}` };
    }
    if (access.changes) log.event('agent.gateway.passed', asked);
    return undefined;
  }

  #failed(error: unknown, { method, url = '' }: IncomingMessage): void {
    this.#deps.log.failure('agent.gateway.failed', error, { method, path: url.split('?')[0] });
  }
}

/**
 * Node's parser asks a request whether it is an upgrade, and stops behind the head if so. As at the engine, what becomes a stream says
 * yes also without an `Upgrade` header, for what follows its body is input; everything else says no, whatever it asks for.
 */
class TakingRequest extends IncomingMessage {
  get upgrade(): boolean {
    const { method = '', url = '', headers } = this;
    if (method === 'CONNECT') return true;
    return (headers.upgrade !== undefined || !isChunked(this)) && isStream(accessOf(method, url));
  }

  set upgrade(_asked: boolean) {
    // Node writes down what the headers say; the endpoint decides.
  }
}

function isStream(access: Access | undefined): boolean {
  const kind = access?.endpoint.row?.response.kind;
  return kind === 'hijack' || kind === 'web-socket';
}

function isChunked({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** @throws EngineError 'invalid-argument' when it is longer than the engine would take. */
async function wholeBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    held += chunk.length;
    if (held > JSON_BODY_BYTES_MAX)
      throw new EngineError('invalid-argument', `a body may have ${JSON_BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(error: unknown): Refusal {
  const status = isEngineError(error) && error.kind === 'invalid-argument' ? 400 : 502;
  return { status, message: error instanceof Error ? error.message : String(error) };
}
