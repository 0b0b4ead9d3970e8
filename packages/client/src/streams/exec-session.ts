import { type ExecInspect, isEngineError } from '@fairlead/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { SessionLostError } from '../errors.ts';
import { ProcessSession, type SessionTraits } from './process-session.ts';
import type { HijackedAnswer } from '../transport/http-connections.ts';

/** Pause before the exit code is asked for again; doubles up to the maximum. */
const ASK_AGAIN_MS_MIN = 10;
const ASK_AGAIN_MS_MAX = 500;

/** What an exec session asks of the engine beside its stream. */
export interface ExecTraits extends SessionTraits {
  readonly id: string;
  readonly inspect: (signal: AbortSignal) => Promise<ExecInspect>;
}

/** A program started in a running container, with its streams in our hands. */
export class ExecSession extends ProcessSession {
  /** The engine's id for it. */
  readonly id: string;
  readonly #operation: string;
  readonly #inspect: ExecTraits['inspect'];

  constructor(connection: HijackedAnswer, traits: ExecTraits) {
    super(connection, traits);
    this.id = traits.id;
    this.#operation = traits.operation;
    this.#inspect = traits.inspect;
  }

  /** What the engine knows of it: whether it runs, its pid on the host, its exit code. */
  inspect(signal: AbortSignal = new AbortController().signal): Promise<ExecInspect> {
    return this.#inspect(signal);
  }

  /**
   * The program's exit code. Ask after the output's end: a program whose output nobody reads may wait for its reader.
   *
   * The stream may end before the program does, or before the engine has written its end down: then this waits, without an
   * end of its own.
   * @throws SessionLostError when the engine knows no exit code or is gone, so that nobody takes it for 0; the signal's reason.
   */
  async exitCode(signal: AbortSignal = new AbortController().signal): Promise<number> {
    for (let pauseMs = ASK_AGAIN_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, ASK_AGAIN_MS_MAX)) {
      const { ExitCode, Running } = await this.#ask(signal);
      if (!Running && ExitCode !== null) return ExitCode;
      if (!Running) throw this.#lost('the engine has no exit code', undefined);
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async #ask(signal: AbortSignal): Promise<ExecInspect> {
    try {
      return await this.#inspect(signal);
    } catch (cause) {
      if (signal.aborted || !isEngineError(cause)) throw cause;
      throw this.#lost(cause.message, cause);
    }
  }

  #lost(why: string, cause: unknown): SessionLostError {
    const operation = this.#operation;
    return new SessionLostError(
      `The session's stream ended, and its exit code cannot be known (${operation}): ${why}`,
      {
        operation,
        cause,
      },
    );
  }
}
