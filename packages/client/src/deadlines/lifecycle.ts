import {
  type Allowances,
  boundMs,
  Budget,
  containerEndpoints as rows,
  type ContainerEndpoints,
  type ContainerRef,
  DOCKER_ALLOWANCES,
  hopReserveMs,
  KILL_CONFIRM_DOCKER_MS,
  type QueryOf,
  type State,
  type StopOutcome,
} from '@fairlead/protocol';
import { EngineOverdueError } from '../errors.ts';
import { type ClientDeps, type Listening, signalOf } from '../groups/group.ts';
import { watchContainer } from '../groups/watch-container.ts';
import { type Asker, resumeByWait, runVerb } from './container-verb.ts';
import type { OperationResult } from './operation-result.ts';
import { pendingText, stopPendingText } from './pending-text.ts';
import type { OnPhase } from './phases.ts';
import { budgetSignal } from './spend-budget.ts';
import { planGrace, type StopTimes } from './stop-plan.ts';

/** What every verb that has a bound takes. */
export interface VerbOptions extends Listening {
  /** How long this caller listens; the operation goes on without it. Absent: until the engine's own bound. */
  readonly patienceMs?: number | undefined;
  /** Hears how far it is: from Fairlead's ledger, elsewhere from the container's events. */
  readonly onPhase?: OnPhase | undefined;
}

export interface StopOptions extends VerbOptions, StopTimes {
  /** Instead of the container's own stop signal: `INT`, `SIGTERM`, `15`. Needs API 1.42. */
  readonly stopSignal?: string | undefined;
}

export interface KillOptions extends VerbOptions {
  /** SIGKILL when absent; then the answer waits for the exit. */
  readonly stopSignal?: string | undefined;
}

export interface RemoveOptions extends VerbOptions, QueryOf<ContainerEndpoints['remove']> {}

/** How a stop ended. */
export interface StopResult extends OperationResult {
  readonly outcome: StopOutcome;
}

/**
 * Stops a container and tells how it ended. How long it listens is derived: the container's own grace, what the engine
 * takes to confirm a kill, and a reserve.
 *
 * @throws DeadlineTooShortError before anything is sent, PendingError when `patienceMs` ends first,
 * EngineOverdueError, EngineUnreachableError, RequestFailedError.
 */
export async function stopContainer(deps: ClientDeps, ref: ContainerRef, options: StopOptions): Promise<StopResult> {
  const { allowances, asker } = await prepare(deps, `stop ${ref}`, options);
  const { killConfirmMs } = allowances;
  const parts = [{ what: 'a kill to be confirmed', ms: killConfirmMs }];
  const graceMs = planGrace({ operation: `stop ${ref}`, parts }, options);
  const result = await runVerb(deps, asker, {
    name: 'stop',
    ref,
    row: rows.stop,
    query: { t: graceMs, signal: options.stopSignal },
    graceMs: graceMs ?? 'own',
    asksExitCode: true,
    boundMs: (ms) => boundWithin(boundMs('stop', { ...allowances, graceMs: ms }), options.withinMs),
    isReached: isStopped,
    pending: (times) => stopPendingText(ref, { ...times, killConfirmMs }),
    resume: (_, signal) => resumeByWait(deps, ref, { condition: 'not-running', signal }),
  });
  return { ...result, outcome: result.outcome ?? (result.changed ? 'exited' : 'already-stopped') };
}

/**
 * Stops and starts a container.
 *
 * @throws as `stopContainer`.
 */
export async function restartContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  options: StopOptions,
): Promise<OperationResult> {
  const { allowances, asker } = await prepare(deps, `restart ${ref}`, options);
  const parts = [
    { what: 'a kill to be confirmed', ms: allowances.killConfirmMs },
    { what: 'the start', ms: allowances.startMs },
  ];
  const graceMs = planGrace({ operation: `restart ${ref}`, parts }, options);
  return await runVerb(deps, asker, {
    name: 'restart',
    ref,
    row: rows.restart,
    query: { t: graceMs, signal: options.stopSignal },
    graceMs: graceMs ?? 'own',
    comparesState: true,
    boundMs: (ms) => boundWithin(boundMs('restart', { ...allowances, graceMs: ms }), options.withinMs),
    isReached: isStartedAgain,
    pending: (times) => pendingText(`restart ${ref}`, times),
    resume: (before, signal) =>
      resumeByWatch(deps, { ref, isReached: (state) => isStartedAgain(state, before) }, signal),
  });
}

/**
 * Sends a signal; SIGKILL waits until the process is gone.
 *
 * @throws RequestFailedError 'conflict' when it is not running; PendingError, EngineOverdueError, EngineUnreachableError.
 */
export async function killContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  options: KillOptions,
): Promise<OperationResult> {
  const { allowances, asker } = await prepare(deps, `kill ${ref}`, options);
  const { stopSignal } = options;
  return await runVerb(deps, asker, {
    name: 'kill',
    ref,
    row: rows.kill,
    query: { signal: stopSignal },
    graceMs: 0,
    boundMs: () => boundMs('kill', allowances),
    // Whether another signal arrived cannot be seen from outside.
    isReached: (state) => stopSignal === undefined && isStopped(state),
    pending: (times) => pendingText(`kill ${ref}`, times),
    resume: (_, signal) => resumeByWait(deps, ref, { condition: 'not-running', signal }),
  });
}

/**
 * Starts a container. `changed` is false when it was running already.
 *
 * @throws RequestFailedError when it cannot be started; PendingError, EngineOverdueError, EngineUnreachableError.
 */
export async function startContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  options: VerbOptions,
): Promise<OperationResult> {
  const { allowances, asker } = await prepare(deps, `start ${ref}`, options);
  const isReached = (state: State | 'removed'): boolean => state !== 'removed' && state.Running;
  return await runVerb(deps, asker, {
    name: 'start',
    ref,
    row: rows.start,
    query: {},
    graceMs: 0,
    boundMs: () => boundMs('start', allowances),
    isReached,
    pending: (times) => pendingText(`start ${ref}`, times),
    resume: (_, signal) => resumeByWatch(deps, { ref, isReached }, signal),
  });
}

/**
 * Removes a container.
 *
 * @throws RequestFailedError 'conflict' when it runs and `force` is not given; PendingError, EngineOverdueError,
 * EngineUnreachableError.
 */
export async function removeContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  options: RemoveOptions,
): Promise<OperationResult> {
  const { signal, patienceMs, onPhase, ...query } = options;
  const { allowances, asker } = await prepare(deps, `remove ${ref}`, { signal, patienceMs, onPhase });
  return await runVerb(deps, asker, {
    name: 'remove',
    ref,
    row: rows.remove,
    query,
    graceMs: 0,
    boundMs: () => boundMs('remove', allowances),
    isReached: (state) => state === 'removed',
    pending: (times) => pendingText(`remove ${ref}`, times),
    resume: (_, waiting) => resumeByWait(deps, ref, { condition: 'removed', signal: waiting }),
  });
}

/** How long the engine may take to say what it is; nothing has been asked of it then. */
const PREPARE_MS = 30_000;

/** What is known before anything is sent. */
export interface Prepared {
  readonly allowances: Allowances;
  readonly asker: Asker;
}

/**
 * What the engine says of its own bounds; Docker says nothing, so its worst case is assumed.
 *
 * @throws EngineOverdueError when the engine is silent, EngineUnreachableError; the signal's reason.
 */
export async function prepare(
  deps: ClientDeps,
  operation: string,
  options: VerbOptions & { readonly withinMs?: number | undefined },
): Promise<Prepared> {
  const { clock } = deps;
  const caller = signalOf(options);
  const nowMs = clock.nowMs();
  const budgetOf = (ms: number | undefined): Budget => (ms === undefined ? Budget.endless() : Budget.of(ms, nowMs));
  const patience = budgetOf(options.patienceMs);
  using limit = budgetSignal(clock, patience.shorter(Budget.of(PREPARE_MS, nowMs)), () => silent(operation));
  const signal = AbortSignal.any([limit.signal, caller]);
  const { isFairlead } = await deps.negotiation.traits(signal);
  const published = isFairlead ? (await deps.info(signal)).KillConfirmMs : undefined;
  const allowances = { ...DOCKER_ALLOWANCES, killConfirmMs: published ?? KILL_CONFIRM_DOCKER_MS };
  // What is too short for anything is refused by the plan.
  const within = budgetOf(options.withinMs === undefined ? undefined : Math.max(1, options.withinMs));
  return { allowances, asker: { caller, patience: patience.shorter(within), onPhase: options.onPhase } };
}

function silent(operation: string): EngineOverdueError {
  const message = `The engine accepts connections and has not said in time which engine it is. Nothing was sent (${operation}).`;
  return new EngineOverdueError(message, { operation, boundMs: 0 });
}

/** A total that the caller gave is a limit of its own; what is within it leaves room for the way back. */
function boundWithin(ms: number, withinMs: number | undefined): number {
  return withinMs === undefined ? ms : Math.min(ms, withinMs - hopReserveMs(withinMs));
}

/** Podman says that what is stopping does not run. */
function isStopped(state: State | 'removed'): boolean {
  const status: string = state === 'removed' ? state : state.Status;
  return state === 'removed' || (!state.Running && status !== 'stopping');
}

/** By what the engine's own clock said before: two clocks are never compared. */
function isStartedAgain(state: State | 'removed', before: State | undefined): boolean {
  return state !== 'removed' && state.Running && before !== undefined && state.StartedAt !== before.StartedAt;
}

async function resumeByWatch(
  deps: ClientDeps,
  watched: { readonly ref: ContainerRef; readonly isReached: (state: State | 'removed') => boolean },
  signal: AbortSignal,
): Promise<OperationResult> {
  const startedMs = deps.clock.nowMs();
  for await (const view of watchContainer(deps, watched.ref, signal)) {
    if (!watched.isReached(view === 'removed' ? view : view.State)) continue;
    const tookMs = deps.clock.nowMs() - startedMs;
    return { changed: true, outcome: undefined, exitCode: undefined, tookMs, late: true, warnings: [] };
  }
  throw new EngineOverdueError(`"${watched.ref}" was removed meanwhile.`, { operation: watched.ref, boundMs: 0 });
}
