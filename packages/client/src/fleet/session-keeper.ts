import { Budget, EngineError } from '@fairlead/protocol';
import {
  decodeFrame,
  encodeFrame,
  SESSION_ABANDONED_MS,
  type SessionFrame,
  SessionFrameReader,
} from '@fairlead/protocol/fleet';
import { setTimeout as sleep } from 'node:timers/promises';
import { byteChunks } from '../call.ts';
import { systemClock } from '../deadlines/monotonic-clock.ts';
import { whenSpent } from '../deadlines/spend-budget.ts';
import { ConnectionLostError } from '../errors.ts';
import type { HttpConnections } from '../transport/http-connections.ts';
import { askForSession, type JoinedSession, type SessionQuestion, SessionRefused } from './ask-for-session.ts';
import { ChannelPulse } from './channel-pulse.ts';
import { FrameWriter } from './frame-writer.ts';
import type { HubTarget } from './hub-target.ts';

/** Pause before the next attempt to come back; doubles up to the maximum. */
const REJOIN_MS_MIN = 50;
const REJOIN_MS_MAX = 2_000;

/** One connection that carries a session's frames. It may break at any time; another one then takes its place. */
export interface SessionChannel {
  /** Hands a frame on; what a broken channel is given is lost, and sent again on the next. */
  send(frame: SessionFrame): void;
}

/** Whoever a session's frames are for. */
export interface SessionParty {
  /** Goes on over `channel` from now on, and says how far it is. */
  join(channel: SessionChannel): void;
  /** `channel` broke. */
  lost(channel: SessionChannel): void;
  /** @throws EngineError when the frame is out of step. */
  receive(channel: SessionChannel, frame: SessionFrame): void;
  /** The session cannot go on. */
  fail(error: Error): void;
  /** Resolves when it is done with the session. */
  readonly closed: Promise<void>;
}

/** How a session is first asked for, and how it is joined again. */
export interface SessionPaths {
  readonly first: SessionQuestion;
  readonly again: (session: JoinedSession) => SessionQuestion;
}

/** Keeps sessions on connections to a hub: when one breaks, it comes back within `SESSION_ABANDONED_MS` and goes on where it was. */
export class SessionKeeper {
  readonly #deps: { readonly connections: HttpConnections; readonly target: HubTarget };

  constructor(deps: { readonly connections: HttpConnections; readonly target: HubTarget }) {
    this.#deps = deps;
  }

  /** Resolves when the session is there. `signal` ends only the asking. @throws as `askForSession`. */
  async keep(party: SessionParty, paths: SessionPaths, signal: AbortSignal): Promise<void> {
    const joined = await this.#ask(paths.first, signal);
    void this.#carry(party, paths, joined);
  }

  async #carry(party: SessionParty, paths: SessionPaths, first: JoinedSession): Promise<void> {
    const over = new AbortController();
    void party.closed.then(() => over.abort());
    let joined: JoinedSession | undefined = first;
    while (joined !== undefined) {
      await carryOver(party, joined);
      joined = over.signal.aborted ? undefined : await this.#rejoin(party, paths.again(first), over.signal);
    }
  }

  /** @returns undefined when the session is over; the party has been told why then. */
  async #rejoin(party: SessionParty, asked: SessionQuestion, over: AbortSignal): Promise<JoinedSession | undefined> {
    const late = new AbortController();
    using _ = whenSpent(systemClock, Budget.of(SESSION_ABANDONED_MS, systemClock.nowMs()), () => late.abort());
    const scope = AbortSignal.any([over, late.signal]);
    let attempt: JoinedSession | Error = new Error('the hub cannot be reached');
    for (let pauseMs = REJOIN_MS_MIN; !scope.aborted; pauseMs = Math.min(pauseMs * 2, REJOIN_MS_MAX)) {
      attempt = await this.#ask(asked, scope).catch(asError);
      if (!(attempt instanceof Error)) return attempt;
      if (attempt instanceof SessionRefused && !attempt.isPassing) break;
      await sleep(pauseMs, undefined, { signal: scope }).catch(() => {});
    }
    const failure = { operation: 'session', cause: attempt };
    if (attempt instanceof Error)
      party.fail(new ConnectionLostError(`the session was lost: ${attempt.message}`, failure));
    return undefined;
  }

  /** The connection outlives the asking: `signal` ends only that. */
  async #ask(question: SessionQuestion, signal: AbortSignal): Promise<JoinedSession> {
    signal.throwIfAborted();
    const asking = new AbortController();
    const abort = (): void => asking.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await askForSession(this.#deps, question, asking.signal);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/** Carries frames both ways until the connection or the session ends. */
async function carryOver(party: SessionParty, { output, input }: JoinedSession): Promise<void> {
  const writer = new FrameWriter(input);
  const channel: SessionChannel = { send: (frame) => writer.write(encodeFrame(frame)) };
  using pulse = new ChannelPulse({ ping: () => channel.send({ kind: 'ping' }), silent: () => output.destroy() });
  // The last frame that is sent is the close; then this side goes.
  void party.closed.then(() => input.end());
  const frames = new SessionFrameReader();
  try {
    party.join(channel);
    for await (const bytes of byteChunks(output)) {
      pulse.heard();
      for (const frame of frames.push(bytes)) party.receive(channel, decodeFrame(frame));
    }
  } catch (error) {
    // A broken connection is joined again; frames that make no sense would make none on the next either.
    if (error instanceof EngineError) party.fail(error);
  } finally {
    party.lost(channel);
    output.destroy();
    input.destroy();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}
