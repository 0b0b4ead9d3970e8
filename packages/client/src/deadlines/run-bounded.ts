import { type State, waitForBoundMs } from '@fairlead/protocol';
import { deadlineTimer } from '../deadline-timer.ts';
import {
  ConnectionLostError,
  EngineOverdueError,
  EngineUnreachableError,
  PendingError,
  type PendingOperation,
  RequestFailedError,
} from '../errors.ts';

/** How long a probe on a fresh connection may take, before the engine counts as not answering at all. */
export const PROBE_MS = 5_000;

/** A request whose latest answer is known, or becomes known while it runs. */
export interface BoundedOperation<T> {
  /** `stop web`. */
  readonly operation: string;
  /** Sends it; the signal ends the listening only. */
  attempt(signal: AbortSignal): Promise<T>;
  /** The latest moment, in ms from the sending, at which the engine owes the answer. Infinity: none. */
  readonly boundMs: Promise<number>;
  /** How long the caller listens; Infinity: until the bound. */
  readonly patienceMs: number;
  /** What the caller gets when the state looked at afterwards shows that it is done; undefined: not done. */
  settled(state: State | 'removed', tookMs: number): T | undefined;
  /** What the caller is told when its patience ends first. */
  pending(waitedMs: number, boundMs: number): string;
  /** Waits until the operation has ended in the engine. */
  wait(signal: AbortSignal): Promise<void>;
}

export interface BoundedDeps {
  /** The container's state, asked on a fresh connection. @throws EngineUnreachableError when there is none to be had. */
  readonly probe: (signal: AbortSignal) => Promise<State>;
}

/**
 * Listens to an operation until its answer, its bound with a reserve, or the caller's patience: the first ends the wait.
 *
 * "Cannot connect" is said only when connect(2) failed; any other silence is looked at on a fresh connection.
 * @throws PendingError, EngineOverdueError, EngineUnreachableError, and whatever the answer itself is; the caller's
 * reason when `caller` aborts.
 */
export async function runBounded<T>(deps: BoundedDeps, asked: BoundedOperation<T>, caller: AbortSignal): Promise<T> {
  const startedAt = performance.now();
  const limit = new AbortController();
  using timers = new DisposableStack();
  let boundMs = Infinity;
  timers.use(deadlineTimer(asked.patienceMs, () => limit.abort('patience')));
  asked.boundMs.then(
    (knownMs) => {
      boundMs = knownMs;
      const leftMs = waitForBoundMs(Math.max(0, knownMs)) - (performance.now() - startedAt);
      if (!timers.disposed) timers.use(deadlineTimer(leftMs, () => limit.abort('bound')));
    },
    // Without the container's own grace there is no bound to hold the engine to; its answer says what is wrong.
    () => {},
  );
  try {
    return await asked.attempt(AbortSignal.any([limit.signal, caller]));
  } catch (error) {
    if (caller.aborted) throw caller.reason;
    if (!limit.signal.aborted && !(error instanceof ConnectionLostError)) throw error;
    return await classify(deps, asked, {
      error,
      ended: limit.signal.aborted ? String(limit.signal.reason) : 'lost',
      waitedMs: performance.now() - startedAt,
      boundMs,
    });
  }
}

interface Silence {
  readonly error: unknown;
  readonly ended: string;
  readonly waitedMs: number;
  readonly boundMs: number;
}

async function classify<T>(deps: BoundedDeps, asked: BoundedOperation<T>, silence: Silence): Promise<T> {
  const state = await probe(deps);
  const settled = state === 'silent' ? undefined : asked.settled(state, silence.waitedMs);
  if (settled !== undefined) return settled;
  if (silence.ended === 'lost') throw silence.error;
  if (silence.ended === 'patience' && silence.waitedMs < silence.boundMs) {
    const operation: PendingOperation = {
      endsWithinMs: silence.boundMs - silence.waitedMs,
      wait: (signal = new AbortController().signal) => asked.wait(signal),
    };
    throw new PendingError(asked.pending(silence.waitedMs, silence.boundMs), { operation, waitedMs: silence.waitedMs });
  }
  const { operation } = asked;
  const seconds = (silence.waitedMs / 1000).toFixed(1);
  const found =
    state === 'silent' ? 'accepts connections and answers nothing' : 'is reachable, and the container is not there yet';
  throw new EngineOverdueError(
    `The engine owed an answer (${operation}) within ${(silence.boundMs / 1000).toFixed(1)} s and has given none after ` +
      `${seconds} s: it ${found}.`,
    { operation, boundMs: silence.boundMs, cause: silence.error },
  );
}

async function probe(deps: BoundedDeps): Promise<State | 'removed' | 'silent'> {
  const limit = new AbortController();
  using _ = deadlineTimer(PROBE_MS, () => limit.abort(new Error('the probe was not answered')));
  try {
    return await deps.probe(limit.signal);
  } catch (error) {
    if (error instanceof EngineUnreachableError) throw error;
    if (error instanceof RequestFailedError && error.kind === 'not-found') return 'removed';
    return 'silent';
  }
}
