import { timingSafeEqual } from 'node:crypto';
import { EngineError, isEngineError, type ErrorKind } from '@fairlead/protocol';
import {
  type FleetActor,
  roleIncludes,
  type SessionAnswer,
  type SessionOpen,
  type SessionRequest,
} from '@fairlead/protocol/fleet';
import type { Duplex } from 'node:stream';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import type { Trunk } from '../../trunk/trunk.ts';
import type { EngineSide } from '../engine/engine-side.ts';
import type { Epoch } from '../link/epoch.ts';
import { type Denial, denySession, denyVerb, type Policy } from '../policy/policy.ts';
import { AgentChannel, type ChannelEnds } from './agent-channel.ts';
import type { AgentTrunks } from './agent-trunks.ts';
import { type ChannelWay, overNats, overTrunk } from './channel-way.ts';
import { openSource } from './open-source.ts';
import type { Recordings } from './recordings.ts';
import type { AgentSession } from './session.ts';
import type { SessionHost } from './session-host.ts';
import { type SessionRecorder, StreamSession } from './stream-session.ts';
import { TunnelSession } from './tunnel-session.ts';

/** Sessions that a host keeps at once. Each holds a megabyte or two. */
export const SESSIONS_MAX = 500;

export interface SessionsDeps {
  readonly engine: EngineSide;
  /** What this host allows, whatever the hub says. */
  readonly policy: Policy;
  /** Speaks the engine's API on a tunnel, as far as this actor may. */
  readonly serve: (connection: Duplex, actor: FleetActor) => void;
  readonly recordings: Recordings;
  readonly trunks: AgentTrunks;
  readonly log: FleetLog;
}

interface Kept {
  readonly session: AgentSession;
  /** In whose name it does what it does. */
  readonly opener: FleetActor;
  readonly tokenHash: Buffer;
  /** Runs while nobody looks at it. */
  abandoned: NodeJS.Timeout | undefined;
}

/** A viewer that is let in. */
interface Entering {
  readonly kept: Kept;
  readonly write: boolean;
  readonly trunk: Trunk | undefined;
}

/** Every session of this host: opened and joined by the hub, kept over its connections, ended when nobody comes back. */
export class AgentSessions implements SessionHost, AsyncDisposable {
  readonly #deps: SessionsDeps;
  readonly #kept = new Map<string, Kept>();
  /** Those on NATS: it does not tell them when it is gone. */
  readonly #onNats = new Set<AgentChannel>();
  readonly #leaving = new AbortController();
  #nats: ChannelWay | undefined;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  get count(): number {
    return this.#kept.size;
  }

  /** Speaks over this connection from now on; who looked at something over the one before has to join again. Trunks stay. */
  use(epoch: Pick<Epoch, 'connection' | 'subjects'>): void {
    const before = [...this.#onNats];
    this.#nats = overNats({ nats: epoch.connection, subjects: epoch.subjects });
    for (const channel of before) channel.lose();
  }

  /** Opens or joins one. Never rejects: what cannot be opened is told in the answer. */
  async open(request: SessionRequest): Promise<SessionAnswer> {
    const { sessionId, actor, ask } = request;
    try {
      const answer =
        ask === 'open' ? await this.#open(request, request.open) : await this.#join(request, request.write);
      this.#deps.log.event('agent.session.asked', { sessionId, ask, actor: actor.name, ...answer });
      return answer;
    } catch (error) {
      this.#deps.log.warning('agent.session.failed', { sessionId, ask, actor: actor.name, error: wordsOf(error) });
      const code = isEngineError(error) ? CODES[error.kind] : 'INTERNAL';
      return { opened: false, code, message: error instanceof Error ? error.message : String(error) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort(new Error('the agent is leaving'));
    const all = [...this.#kept.values()];
    this.#kept.clear();
    for (const { abandoned } of all) clearTimeout(abandoned);
    await Promise.all(all.map(({ session }) => session[Symbol.asyncDispose]()));
  }

  async #open(request: SessionRequest, open: SessionOpen): Promise<SessionAnswer> {
    if (this.#kept.size >= SESSIONS_MAX) return refused('TOO_MANY', `this host keeps ${SESSIONS_MAX} sessions already`);
    const denied = denySession(this.#deps.policy, open.kind, request.actor);
    if (denied !== undefined) return deniedBy(denied);
    if (this.#kept.has(request.sessionId)) return refused('CONFLICT', 'there is a session of that id');
    const [session, trunk] = await Promise.all([this.#start(request, open), this.#trunkFor(request)]);
    const tokenHash = Buffer.from(request.tokenHash, 'hex');
    const kept: Kept = { session, opener: request.actor, tokenHash, abandoned: undefined };
    this.#kept.set(request.sessionId, kept);
    void session.over.then(() => this.#forget(request.sessionId, kept));
    return this.#enter(request, { kept, write: true, trunk });
  }

  async #join(request: SessionRequest, write: boolean): Promise<SessionAnswer> {
    const { actor } = request;
    const kept = this.#kept.get(request.sessionId);
    const isTheirs = kept !== undefined && timingSafeEqual(kept.tokenHash, Buffer.from(request.tokenHash, 'hex'));
    if (!isTheirs) return refused('SESSION_LOST', GONE);
    const denied = denySession(this.#deps.policy, kept.session.kind, actor);
    if (denied !== undefined) return deniedBy(denied);
    const forbidden = forbiddenTo(actor, write, kept);
    if (forbidden !== undefined) return refused('FORBIDDEN', forbidden);
    const trunk = await this.#trunkFor(request);
    if (this.#kept.get(request.sessionId) !== kept) return refused('SESSION_LOST', GONE);
    return this.#enter(request, { kept, write, trunk });
  }

  async #start(request: SessionRequest, open: SessionOpen): Promise<AgentSession> {
    const { engine, serve } = this.#deps;
    if (open.kind === 'tunnel') return new TunnelSession((connection) => serve(connection, request.actor));
    const recorder = await this.#recorder(request, open);
    const source = await openSource(engine, open, this.#leaving.signal).catch(async (error: unknown) => {
      await recorder?.[Symbol.asyncDispose]();
      throw error;
    });
    return new StreamSession({ kind: open.kind, source, recorder });
  }

  async #recorder({ sessionId, actor }: SessionRequest, open: SessionOpen): Promise<SessionRecorder | undefined> {
    if ((open.kind !== 'exec' && open.kind !== 'attach') || open.record === undefined) return undefined;
    const { recordings } = this.#deps;
    const [size, argv] = open.kind === 'exec' ? [open.size, open.argv] : [undefined, []];
    const cast = await recordings.begin(sessionId, {
      size: size ?? { rows: 24, columns: 80 },
      title: `${open.container} by ${actor.name}`,
      command: argv.join(' '),
    });
    return {
      output: (chunk) => cast.output(chunk),
      input: open.record === 'all' ? (bytes) => cast.input(bytes) : () => Promise.resolve(),
      resize: (to) => cast.resize(to),
      [Symbol.asyncDispose]: () => recordings.end(sessionId),
    };
  }

  /** The straight way to the hub that has the viewer, when that can be reached: else NATS carries what it sees. */
  async #trunkFor({ channel, hub }: SessionRequest): Promise<Trunk | undefined> {
    return channel === undefined || hub === undefined ? undefined : await this.#deps.trunks.to(hub);
  }

  #enter({ sessionId, channel, actor }: SessionRequest, { kept, write, trunk }: Entering): SessionAnswer {
    clearTimeout(kept.abandoned);
    const { kind, tty } = kept.session;
    if (channel === undefined) {
      this.#watch(sessionId, kept);
      return { opened: true, kind, tty };
    }
    const onTrunk = trunk?.isOpen === true ? trunk : undefined;
    const openChannel = (ends: ChannelEnds): AgentChannel =>
      onTrunk === undefined ? this.#openOnNats(channel, ends) : new AgentChannel(overTrunk(onTrunk), channel, ends);
    // A signal to an attached container is a kill of it; whoever may run programs in one may signal them.
    const signalsDenied = kind === 'attach' ? denyVerb(this.#deps.policy, 'kill', actor) : undefined;
    kept.session.join(openChannel, { write, signalsDenied, changed: () => this.#watch(sessionId, kept) });
    return { opened: true, kind, tty, trunk: onTrunk?.id };
  }

  #openOnNats(name: string, ends: ChannelEnds): AgentChannel {
    if (this.#nats === undefined) throw new EngineError('unavailable', 'the agent is not connected');
    const over = (): void => void this.#onNats.delete(channel);
    const channel: AgentChannel = new AgentChannel(this.#nats, name, { ...ends, over });
    this.#onNats.add(channel);
    return channel;
  }

  /** Ends a session that nobody looks at, after a while. */
  #watch(sessionId: string, kept: Kept): void {
    clearTimeout(kept.abandoned);
    if (kept.session.viewers > 0 || this.#kept.get(sessionId) !== kept) return;
    kept.abandoned = setTimeout(() => {
      this.#deps.log.event('agent.session.abandoned', { sessionId });
      void kept.session[Symbol.asyncDispose]();
    }, kept.session.abandonedMs).unref();
  }

  #forget(sessionId: string, kept: Kept): void {
    clearTimeout(kept.abandoned);
    if (this.#kept.get(sessionId) === kept) this.#kept.delete(sessionId);
    this.#deps.log.event('agent.session.over', { sessionId, kind: kept.session.kind });
  }
}

/** Why somebody may not join, for all that they have the token; undefined when they may. */
function forbiddenTo({ name, role }: FleetActor, write: boolean, { session, opener }: Kept): string | undefined {
  // Every request on a tunnel is judged by its opener's role: who came by the token would have that one's rights.
  if (session.kind === 'tunnel') {
    const isOpener = name === opener.name && role === opener.role;
    return isOpener ? undefined : `a tunnel is its opener's alone: this one was opened by ${opener.name}`;
  }
  return write && !roleIncludes(role, 'exec') ? `to type takes the role exec; ${name} has ${role}` : undefined;
}

const GONE = 'this host has no such session (any more)';

/** What a failed open is called. */
const CODES: Readonly<Record<ErrorKind, string>> = {
  'invalid-argument': 'INVALID',
  unauthorized: 'ENGINE_ERROR',
  forbidden: 'ENGINE_ERROR',
  'not-found': 'NOT_FOUND',
  conflict: 'CONFLICT',
  'not-modified': 'CONFLICT',
  'too-large': 'INVALID',
  'not-implemented': 'NOT_IMPLEMENTED',
  unavailable: 'ENGINE_UNREACHABLE',
  internal: 'ENGINE_ERROR',
};

function deniedBy({ message, rule }: Denial): SessionAnswer {
  return refused('DENIED_BY_POLICY', `${message} (${rule})`);
}

function refused(code: string, message: string): SessionAnswer {
  return { opened: false, code, message };
}
