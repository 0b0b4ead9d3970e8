import { Budget, waitForBoundMs } from '@fairlead/protocol';
import type { CallDeps } from '../call.ts';
import {
  ConnectionLostError,
  EngineOverdueError,
  EngineUnreachableError,
  PendingError,
  type PendingOperation,
} from '../errors.ts';
import type { ClientDeps } from '../groups/group.ts';
import { waitOrAbort } from '../wait-or-abort.ts';
import type { MonotonicClock } from './monotonic-clock.ts';
import type { Look } from './look.ts';
import type { OperationResult } from './operation-result.ts';
import { budgetSignal, whenSpent } from './spend-budget.ts';

/** How long a question on a fresh connection may take, before the engine counts as not answering at all. */
export const PROBE_MS = 5_000;

/** A request whose latest answer is known, or becomes known while it runs. */
export interface BoundedOperation {
  /** `stop web`. */
  readonly operation: string;
  /** Sends it; the signal ends the listening only. */
  attempt(signal: AbortSignal): Promise<OperationResult>;
  /**
   * The latest moment, in ms from the sending, at which the engine owes the answer. Infinity: none; undefined: the engine did
   * not even answer a question about the container.
   */
  readonly boundMs: Promise<number | undefined>;
  /** How long the caller listens; without end: until the bound. */
  readonly patience: Budget;
  /** Looks whether it is done, on a connection of its own. @throws EngineUnreachableError when there is none to be had. */
  look(fresh: CallDeps, signal: AbortSignal): Promise<Look>;
  /** What the caller is told when its patience ends first. */
  pending(waitedMs: number, boundMs: number): string;
  /** Waits until it has ended in the engine, and tells how. */
  resume(signal: AbortSignal): Promise<OperationResult>;
}

/** What waiting needs. */
export type BoundedDeps = Pick<ClientDeps, 'onFreshConnection'> & { readonly clock: MonotonicClock };

/**
 * Listens to an operation until its answer, its bound with a reserve, or the caller's patience: the first ends the wait.
 *
 * "Cannot connect" is said only when connect(2) failed; any other silence is looked at on a fresh connection.
 * @throws PendingError, EngineOverdueError, EngineUnreachableError, and whatever the answer itself is; the caller's
 * reason when `caller` aborts.
 */
export async function runBounded(
  deps: BoundedDeps,
  asked: BoundedOperation,
  caller: AbortSignal,
): Promise<OperationResult> {
  const { clock } = deps;
  const startedMs = clock.nowMs();
  const limit = new AbortController();
  using timers = new DisposableStack();
  let boundMs: number | undefined = Infinity;
  timers.use(whenSpent(clock, asked.patience, () => limit.abort('patience')));
  const bounded = asked.boundMs.then((knownMs) => {
    boundMs = knownMs;
    const owed = Budget.of(waitForBoundMs(knownMs ?? 0), startedMs);
    if (!timers.disposed) timers.use(whenSpent(clock, owed, () => limit.abort('bound')));
  });
  // What is wrong with the question about the bound, the answer itself will say.
  bounded.catch(() => {});
  try {
    return await asked.attempt(AbortSignal.any([limit.signal, caller]));
  } catch (error) {
    if (caller.aborted) throw caller.reason;
    if (!limit.signal.aborted && !(error instanceof ConnectionLostError)) throw error;
    const ended = limit.signal.aborted ? String(limit.signal.reason) : 'lost';
    return await classify(deps, asked, { caller, error, ended, waitedMs: clock.nowMs() - startedMs, boundMs });
  }
}

interface Silence {
  readonly caller: AbortSignal;
  readonly error: unknown;
  readonly ended: string;
  readonly waitedMs: number;
  readonly boundMs: number | undefined;
}

async function classify(deps: BoundedDeps, asked: BoundedOperation, silence: Silence): Promise<OperationResult> {
  const { caller } = silence;
  const seen = await probe(deps, asked);
  if (seen.kind === 'done') return seen.result;
  if (seen.kind === 'failed') throw seen.error;
  const { waitedMs, boundMs = 0 } = silence;
  if (silence.ended === 'lost') {
    if (seen.kind === 'silent' || !seen.inLedger) throw silence.error;
    return await runBounded(deps, resumed(asked, boundMs - waitedMs), caller);
  }
  if (silence.ended === 'patience' && waitedMs < boundMs) {
    throw new PendingError(asked.pending(waitedMs, boundMs), {
      operation: pendingOperation(deps, asked, boundMs - waitedMs),
      waitedMs,
    });
  }
  throw overdue(asked, silence, seen);
}

function pendingOperation(deps: BoundedDeps, asked: BoundedOperation, endsWithinMs: number): PendingOperation {
  const patient = { ...asked, patience: Budget.endless() };
  return {
    endsWithinMs,
    wait: (signal = new AbortController().signal) => runBounded(deps, resumed(patient, endsWithinMs), signal),
  };
}

/** Waiting on is held to what is left of the bound by the same rules. */
function resumed(asked: BoundedOperation, leftMs: number): BoundedOperation {
  return { ...asked, attempt: (signal) => asked.resume(signal), boundMs: Promise.resolve(leftMs) };
}

function overdue(
  asked: BoundedOperation,
  silence: Silence,
  look: { readonly kind: 'silent' | 'under-way'; readonly seen?: string },
): EngineOverdueError {
  const { operation } = asked;
  const { waitedMs, boundMs, error: cause } = silence;
  const waited = `${(waitedMs / 1000).toFixed(1)} s`;
  if (boundMs === undefined) {
    const message = `The engine accepts connections and answers nothing: not to "${operation}" for ${waited}, nor to a question about it.`;
    return new EngineOverdueError(message, { operation, boundMs: 0, cause });
  }
  const { kind, seen = 'the container is not there yet' } = look;
  const found = kind === 'silent' ? 'accepts connections and answers nothing' : `is reachable, and ${seen}`;
  const message =
    `The engine owed an answer (${operation}) within ${(boundMs / 1000).toFixed(1)} s and has given none after ` +
    `${waited}: it ${found}.`;
  return new EngineOverdueError(message, { operation, boundMs, cause });
}

async function probe(deps: BoundedDeps, asked: BoundedOperation): Promise<Look | { readonly kind: 'silent' }> {
  const budget = Budget.of(PROBE_MS, deps.clock.nowMs());
  using limit = budgetSignal(deps.clock, budget, () => new Error('the probe was not answered'));
  try {
    const looking = deps.onFreshConnection((fresh) => asked.look(fresh, limit.signal));
    return await waitOrAbort(looking, limit.signal);
  } catch (error) {
    if (error instanceof EngineUnreachableError) throw error;
    return { kind: 'silent' };
  }
}
