import type { SystemInfo } from '@fairlead/protocol';
import type { MonotonicClock } from '../deadlines/monotonic-clock.ts';
import { ANSWER_BYTES_MAX, type CallDeps, readText } from '../call.ts';
import type { DockerLogins } from '../registry/docker-logins.ts';
import type { HttpAnswer } from '../transport/http-connections.ts';

/** How long somebody listens: until the signal aborts. */
export interface Listening {
  readonly signal?: AbortSignal | undefined;
}

/** What the groups share. */
export interface ClientDeps extends CallDeps {
  /** What every wait is measured with. */
  readonly clock: MonotonicClock;
  /** Where the engine is, as a person would write it. */
  readonly address: string;
  /** A connection of its own, used once: to find out whether the engine is there at all. */
  readonly onFreshConnection: <T>(ask: (deps: CallDeps) => Promise<T>) => Promise<T>;
  /** The engine's own facts, asked once. */
  readonly info: (signal: AbortSignal) => Promise<SystemInfo>;
  /** What Docker's CLI keeps; loaded by those who need a registry. */
  readonly logins: () => Promise<DockerLogins>;
}

/** The signal of a caller who gave none: it never aborts. */
export function signalOf(options: Listening): AbortSignal {
  return options.signal ?? new AbortController().signal;
}

/** Reads an answer that was opened as a stream, whole. */
export function answerText(
  answer: HttpAnswer,
  asked: { readonly operation: string; readonly signal: AbortSignal },
): Promise<string> {
  return readText(answer, asked, ANSWER_BYTES_MAX);
}
