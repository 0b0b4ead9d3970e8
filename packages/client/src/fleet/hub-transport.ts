import { Budget, EngineError } from '@fairlead/protocol';
import {
  decodeSessionFrame,
  encodeSessionFrame,
  SESSION_ABANDONED_MS,
  SessionFrameSplitter,
  withLength,
} from '@fairlead/protocol/fleet';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { byteChunks } from '../call.ts';
import { systemClock } from '../deadlines/monotonic-clock.ts';
import { whenSpent } from '../deadlines/spend-budget.ts';
import { ConnectionLostError } from '../errors.ts';
import { HttpConnections } from '../transport/http-connections.ts';
import type { Transport } from '../transport/transport.ts';
import { ChannelPulse } from './channel-pulse.ts';
import { askForSession, type HubTarget, type JoinedSession, SessionRefused } from './ask-for-session.ts';
import { type SessionChannel, SessionEnd } from './session-end.ts';

/** Pause before the next attempt to come back; doubles up to the maximum. */
const REJOIN_MS_MIN = 50;
const REJOIN_MS_MAX = 2_000;

/**
 * The engine of a fleet's host, through the hub and the agent there. Each connection is a session that outlives its own
 * connections: when the way to the hub breaks, it comes back within `SESSION_ABANDONED_MS` and goes on where it was.
 */
export class HubTransport implements Transport {
  readonly #target: HubTarget;
  readonly #connections: HttpConnections;

  constructor(target: HubTarget) {
    this.#target = target;
    this.#connections = new HttpConnections(target.hub);
  }

  async dial(signal: AbortSignal): Promise<Duplex> {
    const path = `/v1/hosts/${encodeURIComponent(this.#target.host)}/engine`;
    const joined = await this.#ask({ path }, signal);
    const end = new SessionEnd('caller');
    void this.#carry(end, joined);
    return end.stream;
  }

  describe(): string {
    return `${this.#target.hub.describe()} (host ${this.#target.host})`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
    await this.#target.hub[Symbol.asyncDispose]?.();
  }

  /** The connection outlives the asking: `signal` ends only that. */
  async #ask(asked: Parameters<typeof askForSession>[1], signal: AbortSignal): Promise<JoinedSession> {
    signal.throwIfAborted();
    const asking = new AbortController();
    const abort = (): void => asking.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await askForSession({ connections: this.#connections, target: this.#target }, asked, asking.signal);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Keeps the session on a connection until it ends. */
  async #carry(end: SessionEnd, first: JoinedSession): Promise<void> {
    let joined: JoinedSession | undefined = first;
    while (joined !== undefined && !end.stream.destroyed) {
      await carryOver(end, joined);
      if (end.stream.destroyed) return;
      joined = await this.#rejoin(end, first);
    }
  }

  /** @returns undefined when the session is over; its stream has been told why then. */
  async #rejoin(end: SessionEnd, session: JoinedSession): Promise<JoinedSession | undefined> {
    const over = new AbortController();
    const budget = Budget.of(SESSION_ABANDONED_MS, systemClock.nowMs());
    using _ = whenSpent(systemClock, budget, () => over.abort());
    end.stream.once('close', () => over.abort());
    let attempt: JoinedSession | Error = new Error('the hub cannot be reached');
    for (let pauseMs = REJOIN_MS_MIN; !over.signal.aborted; pauseMs = Math.min(pauseMs * 2, REJOIN_MS_MAX)) {
      attempt = await this.#tryRejoin(session, over.signal);
      if (!(attempt instanceof Error)) return attempt;
      if (attempt instanceof SessionRefused && !attempt.isPassing) break;
      await sleep(pauseMs, undefined, { signal: over.signal }).catch(() => {});
    }
    const failure = { operation: 'session', cause: attempt };
    end.stream.destroy(new ConnectionLostError(`the session was lost: ${attempt.message}`, failure));
    return undefined;
  }

  async #tryRejoin({ sessionId, token }: JoinedSession, signal: AbortSignal): Promise<JoinedSession | Error> {
    try {
      const path = `/v1/sessions/${encodeURIComponent(sessionId)}?write=1`;
      return await this.#ask({ path, headers: { 'Fairlead-Session-Token': token } }, signal);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error), { cause: error });
    }
  }
}

/** Carries frames both ways until the connection or the session ends. */
async function carryOver(end: SessionEnd, { output, input }: JoinedSession): Promise<void> {
  const channel: SessionChannel = {
    // What is on its way is bounded by credit, so nothing waits for the socket here.
    send: (frame) => void (input.writable && input.write(withLength(encodeSessionFrame(frame)))),
  };
  using pulse = new ChannelPulse({
    ping: () => channel.send({ kind: 'ping' }),
    silent: () => output.destroy(),
  });
  // The last frame that is sent is the close; then this end goes.
  void end.closed.then(() => input.end());
  const frames = new SessionFrameSplitter();
  try {
    end.join(channel);
    for await (const bytes of byteChunks(output)) {
      pulse.heard();
      for (const frame of frames.push(bytes)) end.receive(channel, decodeSessionFrame(frame));
    }
  } catch (error) {
    // A broken connection is joined again; frames that make no sense would make none on the next either.
    if (error instanceof EngineError) end.stream.destroy(error);
  } finally {
    end.lost(channel);
    output.destroy();
    input.destroy();
  }
}
