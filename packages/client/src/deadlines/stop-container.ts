import {
  type ContainerInspect,
  containerEndpoints as rows,
  type ContainerRef,
  hopReserveMs,
  KILL_CONFIRM_DOCKER_MS,
  OUTCOME_HEADER,
  parseOutcome,
  type State,
  STOP_GRACE_DEFAULT_MS,
  type StopEvidence,
  waitForBoundMs,
} from '@fairlead/protocol';
import { type Answered, call } from '../call.ts';
import { RequestFailedError } from '../errors.ts';
import { type ClientDeps, type Listening, signalOf } from '../groups/group.ts';
import { planStop, type StopTimes } from './stop-plan.ts';
import { runBounded } from './run-bounded.ts';

export interface StopOptions extends Listening, StopTimes {
  /** Instead of the container's own stop signal: `INT`, `SIGTERM`, `15`. Needs API 1.42. */
  readonly stopSignal?: string | undefined;
  /** How long this caller listens; the stop goes on without it. */
  readonly patienceMs?: number | undefined;
}

/** How a stop ended, from the engine's answer or, where that has none, from inspect. */
export interface StopResult {
  /** False when it was not running. */
  readonly changed: boolean;
  readonly outcome: StopEvidence['outcome'];
  /** Undefined when the container is gone already, or never ran. */
  readonly exitCode: number | undefined;
  readonly tookMs: number;
  /** The answer itself never came; the state was looked at instead. */
  readonly late: boolean;
}

/**
 * Stops a container and tells how it ended. How long it listens is derived: the container's own grace, what the engine
 * takes to confirm a kill, and a reserve.
 *
 * @throws DeadlineTooShortError before anything is sent, PendingError when `patienceMs` ends first,
 * EngineOverdueError, EngineUnreachableError, RequestFailedError.
 */
export async function stopContainer(deps: ClientDeps, ref: ContainerRef, options: StopOptions): Promise<StopResult> {
  const caller = signalOf(options);
  const killConfirmMs = await killConfirm(deps, caller);
  const { graceMs } = planStop(ref, options, killConfirmMs);
  const { withinMs = Infinity, patienceMs = Infinity } = options;
  // Asked beside the stop: it only sets the limit, so the stop does not wait for it.
  const grace = graceMs === undefined ? containerGrace(deps, ref, caller) : Promise.resolve(graceMs);
  const listenMs = Math.min(
    withinMs,
    patienceMs,
    graceMs === undefined ? Infinity : waitForBoundMs(graceMs + killConfirmMs),
  );
  const query = { t: graceMs, signal: options.stopSignal };
  return await runBounded<StopResult>(
    { probe: (signal) => probeState(deps, ref, signal) },
    {
      operation: `stop ${ref}`,
      boundMs: grace.then((ms) => Math.min(ms + killConfirmMs, withinMs - hopReserveMs(withinMs))),
      patienceMs,
      attempt: async (signal) => {
        const startedAt = performance.now();
        const asked = { operation: `stop ${ref}`, params: { id: ref }, query, signal, budgetMs: listenMs };
        const answer = await call(deps, rows.stop, asked);
        return await evidence(deps, ref, { answer, signal, tookMs: performance.now() - startedAt });
      },
      settled: (state, tookMs) => lateResult(state, tookMs),
      pending: (waitedMs, boundMs) => pendingText(ref, { waitedMs, boundMs, killConfirmMs }),
      wait: (signal) => waitForEnd(deps, ref, signal),
    },
    caller,
  );
}

/** What the engine says it takes to confirm a kill; Docker says nothing, so its worst case is assumed. */
export async function killConfirm(deps: ClientDeps, signal: AbortSignal): Promise<number> {
  const { isFairlead } = await deps.negotiation.traits(signal);
  return isFairlead ? ((await deps.info(signal)).KillConfirmMs ?? KILL_CONFIRM_DOCKER_MS) : KILL_CONFIRM_DOCKER_MS;
}

/** The container's own grace. A negative StopTimeout waits without end. */
export async function containerGrace(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<number> {
  const { Config } = await inspect(deps, ref, signal);
  const seconds = Config.StopTimeout ?? STOP_GRACE_DEFAULT_MS / 1000;
  return seconds < 0 ? Infinity : seconds * 1000;
}

/** Asks for the state on a connection of its own. @throws as `call`. */
export async function probeState(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<State> {
  const asked = { operation: `inspect ${ref}`, params: { id: ref }, signal };
  return await deps.onFreshConnection(async (fresh) => (await call(fresh, rows.inspect, asked)).body.State);
}

/** Waits until the container does not run. */
export async function waitForEnd(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<void> {
  await call(deps, rows.wait, { operation: `wait ${ref}`, params: { id: ref }, signal });
}

async function inspect(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<ContainerInspect> {
  return (await call(deps, rows.inspect, { operation: `inspect ${ref}`, params: { id: ref }, signal })).body;
}

interface StopAnswer {
  readonly answer: Answered<unknown>;
  readonly signal: AbortSignal;
  readonly tookMs: number;
}

async function evidence(deps: ClientDeps, ref: ContainerRef, stopped: StopAnswer): Promise<StopResult> {
  const { answer, tookMs } = stopped;
  const changed = answer.status !== 304;
  const header = answer.headers[OUTCOME_HEADER.toLowerCase()];
  const told = parseOutcome(typeof header === 'string' ? header : undefined);
  if (told !== undefined) return { changed, late: false, outcome: told.outcome, exitCode: told.exitCode, tookMs };
  const exitCode = await exitCodeOf(deps, ref, stopped.signal);
  return { changed, late: false, outcome: changed ? outcomeOf(exitCode) : 'already-stopped', exitCode, tookMs };
}

/** An auto-removed container is gone before anyone can ask; then nobody knows. */
async function exitCodeOf(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<number | undefined> {
  try {
    return (await inspect(deps, ref, signal)).State.ExitCode;
  } catch (error) {
    if (error instanceof RequestFailedError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

/** 128 + SIGKILL. Without the engine's own word this is the best there is: a program may also exit with 137. */
const KILLED_EXIT_CODE = 137;

function outcomeOf(exitCode: number | undefined): 'exited' | 'killed' {
  return exitCode === KILLED_EXIT_CODE ? 'killed' : 'exited';
}

function lateResult(state: State | 'removed', tookMs: number): StopResult | undefined {
  if (state === 'removed') return { changed: true, late: true, outcome: 'exited', exitCode: undefined, tookMs };
  if (state.Running) return undefined;
  return { changed: true, late: true, outcome: outcomeOf(state.ExitCode), exitCode: state.ExitCode, tookMs };
}

function pendingText(
  ref: ContainerRef,
  times: { readonly waitedMs: number; readonly boundMs: number; readonly killConfirmMs: number },
): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const { waitedMs, boundMs, killConfirmMs } = times;
  const bounded = boundMs !== Infinity;
  const grace = bounded
    ? `up to ${seconds(boundMs - killConfirmMs)} to exit before killing it`
    : 'as much time to exit as it needs';
  const end = bounded ? `and ends at the latest in ${seconds(boundMs - waitedMs)}` : 'and has no end of its own';
  return [
    `Gave up after ${seconds(waitedMs)}. The engine was asked to give "${ref}" ${grace}, so it need not have answered ` +
      `sooner. The stop goes on in the engine ${end}.`,
    `  wait for it:          fairlead wait ${ref}`,
    bounded
      ? `  give it more time:    fairlead stop --within ${Math.ceil(waitForBoundMs(boundMs) / 1000)}s ${ref}        (or drop your timeout: the default is long enough)`
      : `  or end it:            fairlead kill ${ref}`,
  ].join('\n');
}
