import type {
  AuditEntry,
  EnrolmentToken,
  FleetActor,
  FleetContainer,
  FleetEvent,
  FleetHost,
  FleetOperation,
  FleetOperationEvent,
  FleetRecording,
  FleetState,
  FleetUser,
  HostChange,
  SessionKind,
  SessionOpen,
  SubmitAnswer,
  SubmitOperation,
  SubmitRefusal,
  TokenRequest,
  UserRequest,
} from '@fairlead/protocol/fleet';
import { setTimeout as sleep } from 'node:timers/promises';
import { byteChunks } from '../call.ts';
import type { EndpointChoice } from '../endpoint/engine-endpoint.ts';
import { HubCalls } from './hub-calls.ts';
import { HubConnectionLostError } from './hub-errors.ts';
import { newKey } from './new-key.ts';
import { isGone, PendingFleetOperation } from './pending-fleet-operation.ts';
import { sessionAgain } from './session-paths.ts';
import { SessionViewer } from './session-viewer.ts';
import { sseFeed, type SseEvent } from './sse-feed.ts';
import { wayToHub } from './way-to-hub.ts';

/** Which hub, and as whom. */
export interface HubConnectOptions {
  /** `unix:///PATH`, `http://HOST[:PORT]` or `https://HOST[:PORT]`. */
  readonly hub: string;
  /** A user's token; not needed over the hub's own socket. */
  readonly token?: string | undefined;
  readonly tls?: EndpointChoice['tls'];
}

/** A session of a host, and what joins it. */
export interface OpenSession {
  readonly sessionId: string;
  /** Whoever has it may join. */
  readonly token: string;
  readonly kind: SessionKind;
  readonly tty: boolean;
}

/** How somebody joins a session. */
export interface JoinOptions {
  readonly write?: boolean | undefined;
  /** Where another viewer stopped; 0 is the beginning, as far as the host still has it. */
  readonly offset?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which operations, the newest first. */
export interface OperationQuery {
  readonly host?: string | undefined;
  readonly state?: FleetState | undefined;
  readonly open?: boolean | undefined;
  readonly key?: string | undefined;
  readonly container?: string | undefined;
  readonly limit?: number | undefined;
  /** Older than this one: a page after the page that ended with it. */
  readonly before?: string | undefined;
}

/** How long a submit that lost its hub tries to come back to it. */
const COME_BACK_MS = 30_000;
const AGAIN_MS = 250;

/** A hub, typed. What it refuses is a HubRefusedError with the hub's own code. Disposing cuts what is open. */
export class FleetClient implements AsyncDisposable {
  readonly #calls: HubCalls;

  private constructor(calls: HubCalls) {
    this.#calls = calls;
  }

  /** Nothing is sent before the first question. @throws EngineError 'invalid-argument' for an address that is none. */
  static async open({ hub, token, tls }: HubConnectOptions): Promise<FleetClient> {
    return new FleetClient(new HubCalls(await wayToHub(hub, tls), token));
  }

  /** As a person would write it. */
  get address(): string {
    return this.#calls.address;
  }

  async whoami(signal?: AbortSignal): Promise<FleetActor> {
    return await this.#get('/v1/whoami', {}, signal);
  }

  /** Those that a selector (`role=web,zone!=a`) names; all without one. */
  async hosts(selector?: string, signal?: AbortSignal): Promise<readonly FleetHost[]> {
    return await this.#get('/v1/hosts', { selector }, signal);
  }

  /** By id or name. */
  async host(idOrName: string, signal?: AbortSignal): Promise<FleetHost> {
    return await this.#get(`/v1/hosts/${encodeURIComponent(idOrName)}`, {}, signal);
  }

  async changeHost(idOrName: string, change: HostChange): Promise<FleetHost> {
    return await this.#calls.ask(
      { method: 'PATCH', path: `/v1/hosts/${encodeURIComponent(idOrName)}`, body: change },
      anyTime(),
    );
  }

  /** Its key is worthless, and its agent is cut off, when this resolves. */
  async removeHost(idOrName: string): Promise<void> {
    await this.#calls.ask({ method: 'DELETE', path: `/v1/hosts/${encodeURIComponent(idOrName)}` }, anyTime());
  }

  /** Containers of the hosts that a selector names, as their agents last told. */
  async containers(selector?: string, signal?: AbortSignal): Promise<readonly FleetContainer[]> {
    return await this.#get('/v1/containers', { selector }, signal);
  }

  /**
   * Has a host do something, once: a submit that loses its connection is sent again with the same key, which gives the same operation.
   *
   * Resolves when the operation has ended, or a little before `patienceMs` (30 s) is over; then it goes on, and `wait()` listens
   * again.
   *
   * @throws HubRefusedError ('KEY_CONFLICT', 'NOT_FOUND', 'FORBIDDEN', …), HubUnreachableError when nothing was asked.
   */
  async submit(request: SubmitOperation, signal: AbortSignal = anyTime()): Promise<PendingFleetOperation> {
    const body = { ...request, key: request.key ?? newKey() };
    const untilMs = performance.now() + COME_BACK_MS;
    let mayBeAsked = false;
    for (;;) {
      try {
        const answer = await this.#calls.ask<SubmitAnswer>({ method: 'POST', path: '/v1/operations', body }, signal);
        return new PendingFleetOperation(this.#calls, answer.operation);
      } catch (error) {
        mayBeAsked ||= error instanceof HubConnectionLostError;
        // Nothing was asked yet, or it is over: whoever called decides.
        if (!mayBeAsked || !isGone(error) || performance.now() > untilMs) throw error;
        await sleep(AGAIN_MS, undefined, { signal });
      }
    }
  }

  /** Many at once, each with its own answer, in order. At most `SUBMIT_BATCH_MAX`. */
  async submitAll(
    requests: readonly SubmitOperation[],
    signal: AbortSignal = anyTime(),
  ): Promise<readonly (PendingFleetOperation | SubmitRefusal)[]> {
    const body = requests.map((request) => ({ ...request, key: request.key ?? newKey() }));
    const answers = await this.#calls.ask<readonly (SubmitAnswer | SubmitRefusal)[]>(
      { method: 'POST', path: '/v1/operations', body },
      signal,
    );
    return answers.map((answer) =>
      answer.state === 'REFUSED' ? answer : new PendingFleetOperation(this.#calls, answer.operation),
    );
  }

  /** Attaches again to an operation, by its id. @throws HubRefusedError 'NOT_FOUND' */
  async operation(id: string, signal?: AbortSignal): Promise<PendingFleetOperation> {
    const found = await this.#get<FleetOperation>(`/v1/operations/${encodeURIComponent(id)}`, {}, signal);
    return new PendingFleetOperation(this.#calls, found);
  }

  /** Attaches again to an operation, by its key; undefined when there is none. */
  async operationByKey(key: string, signal?: AbortSignal): Promise<PendingFleetOperation | undefined> {
    const [found] = await this.operations({ key }, signal);
    return found === undefined ? undefined : new PendingFleetOperation(this.#calls, found);
  }

  /** What has happened to an operation so far. */
  async history(id: string, signal?: AbortSignal): Promise<readonly FleetOperationEvent[]> {
    return await this.#get(`/v1/operations/${encodeURIComponent(id)}/history`, {}, signal);
  }

  async operations(query: OperationQuery = {}, signal?: AbortSignal): Promise<readonly FleetOperation[]> {
    return await this.#get('/v1/operations', { ...query }, signal);
  }

  /**
   * Opens a session on a host, which goes on without its viewers: a program, a container's streams, a log. Join it to see it.
   *
   * @throws HubRefusedError 'HOST_OFFLINE', 'DENIED_BY_POLICY', 'FORBIDDEN', 'NOT_FOUND'.
   */
  async openSession(host: string, open: SessionOpen, signal: AbortSignal = anyTime()): Promise<OpenSession> {
    const path = `/v1/hosts/${encodeURIComponent(host)}/sessions`;
    return await this.#calls.ask({ method: 'POST', path, body: open }, signal);
  }

  /**
   * Looks at a session, from `offset` on, and types into it when `write` is asked for: the last one who asked does. It comes back by
   * itself when the wire is cut.
   *
   * @throws SessionRefused when there is no such session any more, EngineUnreachableError when the hub cannot be reached.
   */
  async joinSession(
    session: Pick<OpenSession, 'sessionId' | 'token'>,
    { write = false, offset = 0, signal = anyTime() }: JoinOptions = {},
  ): Promise<SessionViewer> {
    const viewer = new SessionViewer({ offset, write });
    const first = sessionAgain(session, { write });
    await this.#calls.sessions.keep(viewer, { first, again: () => first }, signal);
    return viewer;
  }

  /** What a host has recorded of its sessions, the newest first. @throws HubRefusedError 'HOST_OFFLINE', 'FORBIDDEN'. */
  async recordings(host: string, signal?: AbortSignal): Promise<readonly FleetRecording[]> {
    return await this.#get(`/v1/hosts/${encodeURIComponent(host)}/recordings`, {}, signal);
  }

  /** One of them, an asciicast as far as it goes by now. @throws HubRefusedError 'NOT_FOUND' */
  async *recording(host: string, sessionId: string, signal: AbortSignal = anyTime()): AsyncGenerator<Uint8Array> {
    const path = `/v1/hosts/${encodeURIComponent(host)}/recordings/${encodeURIComponent(sessionId)}`;
    yield* byteChunks((await this.#calls.open({ method: 'GET', path }, signal)).body);
  }

  /** What happens in the fleet from now on, or behind the event with this id. It ends with the connection. */
  async *events(after?: string, signal: AbortSignal = anyTime()): AsyncGenerator<SseEvent<FleetEvent>> {
    yield* sseFeed<FleetEvent>(await this.#calls.open({ method: 'GET', path: '/v1/events', query: { after } }, signal));
  }

  async enrolmentTokens(): Promise<readonly EnrolmentToken[]> {
    return await this.#get('/v1/enrolment-tokens', {});
  }

  /** A token that enrols one host; it is shown this once. */
  async createEnrolmentToken(request: TokenRequest = {}): Promise<EnrolmentToken & { readonly token: string }> {
    return await this.#calls.ask({ method: 'POST', path: '/v1/enrolment-tokens', body: request }, anyTime());
  }

  async removeEnrolmentToken(id: string): Promise<void> {
    await this.#calls.ask({ method: 'DELETE', path: `/v1/enrolment-tokens/${encodeURIComponent(id)}` }, anyTime());
  }

  async users(): Promise<readonly FleetUser[]> {
    return await this.#get('/v1/users', {});
  }

  /** A user; the token is shown this once. */
  async createUser(request: UserRequest): Promise<FleetUser & { readonly token: string }> {
    return await this.#calls.ask({ method: 'POST', path: '/v1/users', body: request }, anyTime());
  }

  async removeUser(name: string): Promise<void> {
    await this.#calls.ask({ method: 'DELETE', path: `/v1/users/${encodeURIComponent(name)}` }, anyTime());
  }

  /** Lines of the audit after `after`, the oldest first. */
  async audit(after = 0, limit?: number): Promise<readonly AuditEntry[]> {
    return await this.#get('/v1/audit', { after, limit });
  }

  /** Whether every line of the audit still fits the one before it. */
  async checkAudit(): Promise<{ readonly whole: boolean; readonly firstBroken: number | null }> {
    return await this.#get('/v1/audit/check', {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#calls[Symbol.asyncDispose]();
  }

  async #get<T>(
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>>,
    signal: AbortSignal = anyTime(),
  ): Promise<T> {
    return await this.#calls.ask<T>({ method: 'GET', path, query }, signal);
  }
}

/** A signal that never aborts: the hub answers every question but a submit and a wait at once. */
function anyTime(): AbortSignal {
  return new AbortController().signal;
}
