import { EngineError } from '@fairlead/protocol';
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
import { ConnectionLostError } from '../errors.ts';
import type { Transport } from '../transport/transport.ts';
import { ChannelPulse } from './channel-pulse.ts';
import { askForSession, type JoinedSession, SessionRefused } from './ask-for-session.ts';
import { type SessionChannel, SessionEnd } from './session-end.ts';

/** Pause before the next attempt to come back; doubles up to the maximum. */
const REJOIN_MS_MIN = 50;
const REJOIN_MS_MAX = 2_000;

/** Which host of which fleet. */
export interface HubTarget {
  /** The way to the hub itself. */
  readonly hub: Transport;
  /** A host's id or its name. */
  readonly host: string;
  /** A user's token; not needed over the hub's own socket. */
  readonly token: string | undefined;
}

/**
 * The engine of a fleet's host, through the hub and the agent there. Each connection is a session that outlives its own
 * connections: when the way to the hub breaks, it comes back within `SESSION_ABANDONED_MS` and goes on where it was.
 */
export class HubTransport implements Transport {
  readonly #target: HubTarget;

  constructor(target: HubTarget) {
    this.#target = target;
  }

  async dial(signal: AbortSignal): Promise<Duplex> {
    const path = `/v1/hosts/${encodeURIComponent(this.#target.host)}/engine`;
    const joined = await askForSession(this.#target, { path, headers: {} }, signal);
    const end = new SessionEnd('caller');
    void this.#carry(end, joined);
    return end.stream;
  }

  describe(): string {
    return `${this.#target.hub.describe()} (host ${this.#target.host})`;
  }

  /** Keeps the session on a connection until it ends. */
  async #carry(end: SessionEnd, first: JoinedSession): Promise<void> {
    let joined: JoinedSession | undefined = first;
    while (joined !== undefined && !end.stream.destroyed) {
      await carryOver(end, joined.socket);
      if (end.stream.destroyed) return;
      joined = await this.#rejoin(end, first);
    }
  }

  /** @returns undefined when the session is over; its stream has been told why then. */
  async #rejoin(end: SessionEnd, session: JoinedSession): Promise<JoinedSession | undefined> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), SESSION_ABANDONED_MS);
    end.stream.once('close', () => over.abort());
    const asked = {
      path: `/v1/sessions/${encodeURIComponent(session.sessionId)}?write=1`,
      headers: { 'Fairlead-Session-Token': session.token },
    };
    let failure: unknown;
    try {
      for (let pauseMs = REJOIN_MS_MIN; !over.signal.aborted; pauseMs = Math.min(pauseMs * 2, REJOIN_MS_MAX)) {
        try {
          return await askForSession(this.#target, asked, over.signal);
        } catch (error) {
          failure = error;
          if (error instanceof SessionRefused && !error.isPassing) break;
        }
        await sleep(pauseMs, undefined, { signal: over.signal }).catch(() => {});
      }
    } finally {
      clearTimeout(timer);
    }
    const why = failure instanceof Error ? failure.message : 'the hub cannot be reached';
    end.stream.destroy(
      new ConnectionLostError(`the session was lost: ${why}`, { operation: 'session', cause: failure }),
    );
    return undefined;
  }
}

/** Carries frames both ways until the connection or the session ends. */
async function carryOver(end: SessionEnd, socket: Duplex): Promise<void> {
  const channel: SessionChannel = {
    // What is on its way is bounded by credit, so nothing waits for the socket here.
    send: (frame) => void (socket.writable && socket.write(withLength(encodeSessionFrame(frame)))),
  };
  using pulse = new ChannelPulse({
    ping: () => channel.send({ kind: 'ping' }),
    silent: () => socket.destroy(),
  });
  // The last frame that is sent is the close; then this end goes.
  void end.closed.then(() => socket.end());
  const frames = new SessionFrameSplitter();
  try {
    end.join(channel);
    for await (const bytes of byteChunks(socket)) {
      pulse.heard();
      for (const frame of frames.push(bytes)) end.receive(channel, decodeSessionFrame(frame));
    }
  } catch (error) {
    // A broken connection is joined again; frames that make no sense would make none on the next either.
    if (error instanceof EngineError) end.stream.destroy(error);
  } finally {
    end.lost(channel);
    socket.destroy();
  }
}
