import {
  Budget,
  type ContainerInspect,
  containerEndpoints,
  type ContainerRef,
  type Endpoint,
  fairleadEndpoints,
  isEngineError,
  OPERATION_HEADER,
  type Operation,
  type QueryOf,
  type State,
  STOP_GRACE_DEFAULT_MS,
  waitForBoundMs,
} from '@fairlead/protocol';
import { call, type CallDeps } from '../call.ts';
import { NotFoundError } from '../errors.ts';
import type { ClientDeps } from '../groups/group.ts';
import { inspectContainer } from '../groups/watch-container.ts';
import { type Look, lookOf, outcomeOf, resultOf } from './look.ts';
import type { OperationResult } from './operation-result.ts';
import type { PendingTimes } from './pending-text.ts';
import type { FollowedOperation, OnPhase, PhaseWatch } from './phases.ts';
import { PROBE_MS, runBounded } from './run-bounded.ts';
import { budgetSignal } from './spend-budget.ts';

/** A request that changes a container, with what is known of how long it may take and of what it should come to. */
export interface ContainerVerb<E extends Endpoint> {
  readonly name: 'stop' | 'restart' | 'kill' | 'start' | 'remove';
  readonly ref: ContainerRef;
  readonly row: E;
  readonly query: QueryOf<E>;
  /** `own`: the container's, looked up beside the request. */
  readonly graceMs: number | 'own';
  /** The container is looked at before, to be able to tell whether it changed. */
  readonly comparesState?: true;
  /** The answer does not say how the run ended; the container does. */
  readonly asksExitCode?: true;
  /** From the sending; Infinity: none. */
  boundMs(graceMs: number): number;
  isReached(state: State | 'removed', before: State | undefined): boolean;
  pending(times: PendingTimes): string;
  /** Waits for it where there is no ledger, and tells how it ended. */
  resume(before: State | undefined, signal: AbortSignal): Promise<OperationResult>;
}

/** Who asks, and for how long. */
export interface Asker {
  readonly caller: AbortSignal;
  readonly patience: Budget;
  readonly onPhase?: OnPhase | undefined;
}

/**
 * Sends it and listens until its answer, its bound or the caller's patience.
 *
 * @throws as `runBounded`.
 */
export async function runVerb<E extends Endpoint>(
  deps: ClientDeps,
  asker: Asker,
  verb: ContainerVerb<E>,
): Promise<OperationResult> {
  const { caller, patience, onPhase } = asker;
  const { isFairlead } = await deps.negotiation.traits(caller);
  const operationId = isFairlead ? newOperationId() : undefined;
  const watch = await watchPhases(deps, { ref: verb.ref, operationId }, onPhase);
  const wantsView = verb.graceMs === 'own' || verb.comparesState === true;
  // Asked beside the request: it only sets the limit, so the request does not wait for it.
  const view = wantsView ? inspectPatiently(deps, verb.ref, caller) : Promise.resolve(undefined);
  const before = view.then((seen) => (typeof seen === 'object' ? seen.State : undefined));
  const sent = { operationId, before, patience, startedMs: deps.clock.nowMs() };
  try {
    const result = await runBounded(
      deps,
      {
        operation: operationOf(verb),
        boundMs: view.then((seen) => (seen === 'silent' ? undefined : verb.boundMs(graceOf(verb, seen)))),
        patience,
        attempt: (signal) => attempt(deps, verb, { ...sent, signal }),
        look: (fresh, signal) => look({ ...deps, ...fresh }, verb, { ...sent, signal }),
        pending: (waitedMs, boundMs) => verb.pending({ waitedMs, boundMs }),
        resume: (signal) => resume(deps, verb, { ...sent, signal }),
      },
      caller,
    );
    await watch?.finish();
    return result;
  } finally {
    watch?.stop();
  }
}

function operationOf({ name, ref }: Pick<ContainerVerb<Endpoint>, 'name' | 'ref'>): string {
  return `${name} ${ref}`;
}

function newOperationId(): string {
  // Not imported: cryptography takes as long to load as the rest of the client, and only Fairlead has a ledger.
  return process.getBuiltinModule('node:crypto').randomBytes(16).toString('hex');
}

/** Loaded when somebody wants to hear of phases. */
async function watchPhases(
  deps: ClientDeps,
  followed: FollowedOperation,
  onPhase: OnPhase | undefined,
): Promise<PhaseWatch | undefined> {
  if (onPhase === undefined) return undefined;
  const { followPhases } = await import('./phases.ts');
  return await followPhases(deps, followed, onPhase);
}

/** A negative StopTimeout waits without end. Unknown: what engines give a container that says nothing. */
function graceOf({ graceMs }: Pick<ContainerVerb<Endpoint>, 'graceMs'>, seen: ContainerInspect | undefined): number {
  if (graceMs !== 'own') return graceMs;
  const seconds = seen?.Config.StopTimeout ?? STOP_GRACE_DEFAULT_MS / 1000;
  return seconds < 0 ? Infinity : seconds * 1000;
}

/** How often the engine is asked about the container before it counts as silent. */
const VIEW_TRIES = 3;

/** Undefined when the engine refuses to show it: then the request itself will be refused. */
async function inspectPatiently(
  deps: ClientDeps,
  ref: ContainerRef,
  caller: AbortSignal,
): Promise<ContainerInspect | 'silent' | undefined> {
  for (let tries = 0; tries < VIEW_TRIES; tries += 1) {
    const budget = Budget.of(PROBE_MS, deps.clock.nowMs());
    using limit = budgetSignal(deps.clock, budget, () => new Error('not answered'));
    const signal = AbortSignal.any([limit.signal, caller]);
    try {
      return await inspectContainer(deps, ref, signal);
    } catch {
      if (!limit.signal.aborted) return undefined;
    }
  }
  return 'silent';
}

interface Sent {
  readonly operationId: string | undefined;
  readonly before: Promise<State | undefined>;
  readonly patience: Budget;
  readonly startedMs: number;
  readonly signal: AbortSignal;
}

async function attempt<E extends Endpoint>(
  deps: ClientDeps,
  verb: ContainerVerb<E>,
  { operationId, patience, startedMs, signal }: Sent,
): Promise<OperationResult> {
  const knownBoundMs = verb.graceMs === 'own' ? Infinity : waitForBoundMs(verb.boundMs(verb.graceMs));
  const answer = await call(deps, verb.row, {
    operation: operationOf(verb),
    params: { id: verb.ref },
    query: verb.query,
    signal,
    budgetMs: Math.min(patience.leftMs(startedMs), knownBoundMs),
    ...(operationId === undefined ? {} : { headers: { [OPERATION_HEADER]: operationId } }),
  });
  const result = resultOf(answer, deps.clock.nowMs() - startedMs);
  if (verb.asksExitCode !== true || result.outcome !== undefined) return result;
  const exitCode = await exitCodeOf(deps, verb.ref, signal);
  return { ...result, exitCode, outcome: result.changed ? outcomeOf(exitCode) : 'already-stopped' };
}

/** An auto-removed container is gone before anyone can ask; then nobody knows. */
async function exitCodeOf(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<number | undefined> {
  const state = await stateOf(deps, ref, signal);
  return state === 'removed' ? undefined : state.ExitCode;
}

async function stateOf(deps: CallDeps, ref: ContainerRef, signal: AbortSignal): Promise<State | 'removed'> {
  try {
    return (await inspectContainer(deps, ref, signal)).State;
  } catch (error) {
    if (error instanceof NotFoundError) return 'removed';
    throw error;
  }
}

async function look<E extends Endpoint>(
  fresh: ClientDeps,
  verb: ContainerVerb<E>,
  { operationId, before, startedMs, signal }: Sent,
): Promise<Look> {
  const told = operationId === undefined ? undefined : await fromLedger(fresh, operationId, { signal, waits: false });
  if (told !== undefined) return told;
  const state = await stateOf(fresh, verb.ref, signal);
  if (!verb.isReached(state, await before)) return { kind: 'under-way', inLedger: false };
  const exitCode = state === 'removed' || state.Running ? undefined : state.ExitCode;
  const outcome = exitCode === undefined ? undefined : outcomeOf(exitCode);
  const tookMs = fresh.clock.nowMs() - startedMs;
  return { kind: 'done', result: { changed: true, outcome, exitCode, tookMs, late: true, warnings: [] } };
}

/** Undefined when the ledger does not know: the request never arrived, or the engine ended in the middle. */
async function fromLedger(
  deps: CallDeps,
  id: string,
  { signal, waits }: { readonly signal: AbortSignal; readonly waits: boolean },
): Promise<Look | undefined> {
  const asked = { operation: `operation ${id}`, params: { id }, signal };
  try {
    const { body } = await (waits
      ? call(deps, fairleadEndpoints.waitOperation, asked)
      : call(deps, fairleadEndpoints.operation, asked));
    return lookOf(body satisfies Operation);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function resume<E extends Endpoint>(
  deps: ClientDeps,
  verb: ContainerVerb<E>,
  { operationId, before, signal }: Sent,
): Promise<OperationResult> {
  const told = operationId === undefined ? undefined : await fromLedger(deps, operationId, { signal, waits: true });
  if (told?.kind === 'done') return told.result;
  if (told?.kind === 'failed') throw told.error;
  return await verb.resume(await before, signal);
}

/** Waits for the end of a container's run, or for its removal, and tells how the run ended. */
export async function resumeByWait(
  deps: ClientDeps,
  ref: ContainerRef,
  { condition, signal }: { readonly condition: 'not-running' | 'removed'; readonly signal: AbortSignal },
): Promise<OperationResult> {
  const startedMs = deps.clock.nowMs();
  const done = (exitCode: number | undefined): OperationResult => ({
    ...{ changed: true, outcome: exitCode === undefined ? undefined : outcomeOf(exitCode), exitCode },
    ...{ tookMs: deps.clock.nowMs() - startedMs, late: true, warnings: [] },
  });
  try {
    const asked = { operation: `wait ${ref}`, params: { id: ref }, query: { condition }, signal };
    return done((await call(deps, containerEndpoints.wait, asked)).body.StatusCode);
  } catch (error) {
    if (isEngineError(error) && error.kind === 'not-found') return done(undefined);
    throw error;
  }
}
