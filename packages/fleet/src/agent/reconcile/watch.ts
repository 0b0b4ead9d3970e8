import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerInspect, waitForBoundMs } from '@fairlead/protocol';
import type { FleetOutcome } from '@fairlead/protocol/fleet';
import { type HostClock, sinceMs } from '../../lib/host-clock.ts';
import type { FleetLog } from '../../lib/log.ts';
import type { EngineSide } from '../engine/engine-side.ts';
import { askEngine, OPERATION_LABEL } from '../executor/ask.ts';
import { failure, failureOf, isAnswer } from '../executor/failure.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalEntry, StartEvidence } from '../journal/record.ts';
import type { Telling } from '../operations/telling.ts';
import { type ContainerNow, decide, type Decision, type EngineTruth } from './decide.ts';

/** What watching needs. */
export interface WatchDeps {
  readonly engine: EngineSide;
  readonly journal: Journal;
  readonly clock: HostClock;
  readonly log: FleetLog;
}

/** Whose end is looked for. */
export interface Watched {
  readonly operationId: string;
  readonly tell: Telling;
  /**
   * True while the engine is known to have the request and to be late with it: then only success is read from its state. Else
   * the time it may take, and a little more, is waited for, and what is seen then is the end.
   */
  isEngineLate(): boolean;
}

/** Between two looks: from the first doubled up to the second. */
const LOOK_AGAIN_MS_MIN = 100;
const LOOK_AGAIN_MS_MAX = 2_000;
/** After that much watching nobody knows: an hour. */
const WATCH_MS_MAX = 3_600_000;
/** A request that was on its way when the agent died has been read by then, or never will be. */
const REQUEST_SETTLES_MS = 5_000;

/**
 * Finds out what became of an operation whose answer never came, by looking at the engine, and tells its end.
 *
 * Resolves when the end is told; rejects with the signal's reason when that aborts.
 */
export async function watch(deps: WatchDeps, watched: Watched, signal: AbortSignal): Promise<void> {
  const { tell, operationId } = watched;
  const startedMs = deps.clock.nowMs();
  let lastFailure = failure('LOST', 'the engine was watched for an hour, and did not show how it ended');
  for (let pauseMs = LOOK_AGAIN_MS_MIN; deps.clock.nowMs() - startedMs < WATCH_MS_MAX;) {
    signal.throwIfAborted();
    const entry = deps.journal.entry(operationId);
    if (entry?.evidence === undefined) return;
    try {
      const decision = decide(entry, entry.evidence, await truthOf(deps, { entry, startedMs, watched }, signal));
      deps.log.event('agent.operation.watched', { operationId, decision: decision.next });
      if (await carryOut(deps, { watched, entry, decision }, signal)) return;
    } catch (error) {
      signal.throwIfAborted();
      lastFailure = failureOf(error);
      tell.overdue(lastFailure);
    }
    await sleep(pauseMs, undefined, { signal });
    pauseMs = Math.min(pauseMs * 2, LOOK_AGAIN_MS_MAX);
  }
  await tell.done('UNKNOWN', { failure: lastFailure });
}

interface Sight {
  readonly entry: JournalEntry;
  readonly startedMs: number;
  readonly watched: Watched;
}

async function truthOf(
  deps: WatchDeps,
  { entry, startedMs, watched }: Sight,
  signal: AbortSignal,
): Promise<EngineTruth> {
  const { engine } = deps;
  // Asked first: what is seen below is the end only if the engine was done before.
  const mayStillBeAtIt = watched.isEngineLate() || (await isWithinBound(deps, { entry, startedMs, watched }, signal));
  const execId = entry.steps.flatMap((step) => (step.step === 'exec' ? [step.execId] : [])).at(-1);
  const exec =
    execId === undefined
      ? undefined
      : await engine.look((limited) => engine.client.containers.inspectExec(execId, { signal: limited }), signal);
  const shown = await containerOf(engine, entry, signal);
  return {
    container: shown === undefined ? undefined : containerNow(shown),
    ...(exec === undefined ? {} : { exec: { running: exec.Running, exitCode: exec.ExitCode } }),
    mayStillBeAtIt,
  };
}

async function isWithinBound(deps: WatchDeps, { entry, startedMs }: Sight, signal: AbortSignal): Promise<boolean> {
  const { evidence } = entry;
  const { clock, engine } = deps;
  if (entry.message.command.verb === 'exec') return clock.nowMs() - startedMs < REQUEST_SETTLES_MS;
  if (evidence === undefined) return false;
  // After a boot no engine is at it any more.
  const elapsedMs = sinceMs(clock, evidence.startedAt) ?? Infinity;
  if (elapsedMs >= waitForBoundMs(evidence.boundMs ?? Infinity)) return false;
  return elapsedMs < REQUEST_SETTLES_MS || !(await isLedgerIdle(engine, evidence.container?.id, signal));
}

/** True when the engine keeps a ledger of what it is at, and nothing about this container is open in it. */
async function isLedgerIdle(
  engine: EngineSide,
  containerId: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const operations = await engine.ledger(signal);
  return operations?.some(({ Target, Outcome }) => Outcome === null && Target.Id === (containerId ?? '')) === false;
}

async function containerOf(
  engine: EngineSide,
  entry: JournalEntry,
  signal: AbortSignal,
): Promise<ContainerInspect | undefined> {
  if (entry.message.command.verb !== 'create') {
    const id = entry.evidence?.container?.id;
    return id === undefined ? undefined : await engine.inspect(id, signal);
  }
  const made = entry.steps.flatMap((step) => (step.step === 'created' ? [step.containerId] : [])).at(-1);
  if (made !== undefined) return await engine.inspect(made, signal);
  const filters = new Map([['label', [`${OPERATION_LABEL}=${entry.operationId}`]]]);
  const labelled = await engine.look(
    (limited) => engine.client.containers.list({ all: true, filters, signal: limited }),
    signal,
  );
  const [found] = labelled ?? [];
  return found === undefined ? undefined : await engine.inspect(found.Id, signal);
}

/** A container's state out of an inspect, without what is not needed. */
export function containerNow({ Id, Name, State }: ContainerInspect): ContainerNow {
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    running: State.Running,
    paused: State.Paused,
    startedAt: State.StartedAt,
    exitCode: State.ExitCode,
  };
}

interface Due {
  readonly watched: Watched;
  readonly entry: JournalEntry;
  readonly decision: Decision;
}

/** @returns whether the end is told. */
async function carryOut(deps: WatchDeps, { watched, entry, decision }: Due, signal: AbortSignal): Promise<boolean> {
  const { tell } = watched;
  switch (decision.next) {
    case 'tell':
      await tell.done(decision.state, decision.outcome);
      return true;
    case 'look-again':
      return false;
    case 'start': {
      const { containerId } = decision;
      await tell.step({ step: 'start' });
      return await tellAnswer(tell, { containerId, changed: true, late: true }, () =>
        deps.engine.client.containers.start(containerId, { signal }),
      );
    }
    case 'ask-again': {
      const { operationId } = watched;
      const asking = { client: deps.engine.client, operationId, containerId: undefined, signal };
      const outcome: FleetOutcome = { changed: true, late: true };
      return await tellAnswer(tell, outcome, () =>
        askEngine({ ...asking, step: (step) => tell.step(step) }, entry.message.command),
      );
    }
    default:
      return decision satisfies never;
  }
}

/** Tells the end that an answer is; a silence is no end, and is looked into. */
async function tellAnswer(tell: Telling, outcome: FleetOutcome, ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
  } catch (error) {
    if (!isAnswer(error)) throw error;
    await tell.done('FAILED', { ...outcome, changed: false, failure: failureOf(error) });
    return true;
  }
  await tell.done('SUCCEEDED', outcome);
  return true;
}

/** What is noted of a container before it is acted upon. */
export function evidenceOf(
  container: ContainerInspect | undefined,
  terms: Pick<StartEvidence, 'graceMs' | 'boundMs' | 'startedAt'>,
): StartEvidence {
  const { graceMs, boundMs, startedAt } = terms;
  if (container === undefined) return { graceMs, boundMs, startedAt };
  const { id, name, running, paused, startedAt: wasStartedAt } = containerNow(container);
  return { container: { id, name, running, paused, startedAt: wasStartedAt }, graceMs, boundMs, startedAt };
}
