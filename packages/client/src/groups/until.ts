import { Budget, type ContainerInspect, type ContainerRef, isEngineError, parseTimestamp } from '@fairlead/protocol';
import { PROBE_MS } from '../deadlines/run-bounded.ts';
import { budgetSignal } from '../deadlines/spend-budget.ts';
import { NotReadyError } from '../errors.ts';
import type { LogLine } from '../streams/log-lines.ts';
import { logLines } from '../streams/logs.ts';
import { openLog } from './container-streams.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';
import { untilPortOpen } from './until-port.ts';
import { type ContainerView, inspectContainer, orSilence, viewContainer, watchContainer } from './watch-container.ts';

/** What a container is waited for to be, to have written, or to listen on. */
export type Goal =
  | 'running'
  | 'healthy'
  | 'exited'
  | { /** Matched against every line of the present run. */ readonly log: RegExp }
  | { /** A TCP port of the container's that takes connections. */ readonly port: number };

export interface UntilOptions extends Listening {
  /** Absent: as long as the container may still get there. */
  readonly withinMs?: number | undefined;
}

/** That the goal was reached, and how the container was then. */
export interface Reached {
  /** Undefined when it was removed: `exited` is reached then, too. */
  readonly container: ContainerInspect | undefined;
  /** The line that matched. */
  readonly line?: LogLine;
}

/** A container to wait for. `ref` is its id, so that nobody else can take the name. */
export interface Awaited {
  readonly ref: ContainerRef;
  readonly name: string;
  readonly goal: Goal;
}

/**
 * Waits until a container has come to `goal`: told by the engine's events, nothing is asked in between. Only a port has to be
 * tried.
 *
 * @throws NotReadyError when it can no longer get there (it ended, was removed, has no health check) or has not within
 * `withinMs`; NotFoundError; the signal's reason.
 */
export async function untilContainer(
  deps: ClientDeps,
  { ref, goal }: { readonly ref: ContainerRef; readonly goal: Goal },
  options: UntilOptions,
): Promise<Reached> {
  const { withinMs } = options;
  const caller = signalOf(options);
  const budget = withinMs === undefined ? Budget.endless() : Budget.of(withinMs, deps.clock.nowMs());
  using limit = budgetSignal(deps.clock, budget, () => new Error('the time is over'));
  const signal = AbortSignal.any([limit.signal, caller]);
  const { Id: id } = await inspectContainer(deps, ref, caller);
  const awaited: Awaited = { ref: id, name: ref, goal };
  try {
    if (typeof goal === 'string') return await untilState(deps, awaited, signal);
    if ('log' in goal) return await untilLogged(deps, awaited, signal);
    return await untilListening(deps, { ...awaited, port: goal.port }, signal);
  } catch (error) {
    if (caller.aborted || !limit.signal.aborted) throw error;
    return await lastLook(deps, awaited, withinMs ?? 0);
  }
}

/** Health tells of its changes and not of its probes: what the last one said is looked up at the end. */
async function lastLook(deps: ClientDeps, awaited: Awaited, withinMs: number): Promise<Reached> {
  using limit = budgetSignal(deps.clock, Budget.of(PROBE_MS, deps.clock.nowMs()), () => new Error('not answered'));
  const view = await viewContainer(deps, awaited.ref, limit.signal).catch(() => 'unavailable' as const);
  if (view !== 'unavailable' && typeof awaited.goal === 'string' && judge(awaited.goal, view) === 'reached')
    return { container: view === 'removed' ? undefined : view };
  const within = `within ${(withinMs / 1000).toFixed(1)} s`;
  throw notReady({ ...awaited, view: view === 'unavailable' ? undefined : view }, within);
}

async function untilState(deps: ClientDeps, awaited: Awaited, signal: AbortSignal): Promise<Reached> {
  for await (const view of watchContainer(deps, awaited.ref, signal)) {
    const verdict = judge(awaited.goal, view);
    if (verdict === 'reached') return { container: view === 'removed' ? undefined : view };
    if (verdict === 'hopeless') throw notReady({ ...awaited, view });
  }
  throw new NotReadyError(`the events of "${awaited.name}" ended`, { operation: operationOf(awaited) });
}

/** Whoever follows a log is told of its end: then the container is looked at. */
async function untilLogged(deps: ClientDeps, awaited: Awaited, signal: AbortSignal): Promise<Reached> {
  for await (const view of watchContainer(deps, awaited.ref, signal)) {
    if (view === 'removed') throw notReady({ ...awaited, view });
    if (momentOf(view.State.StartedAt) === undefined) continue;
    // Docker takes down the start after it: a program's first words may be older. The end of the run before is older still.
    const line = await lineIn(deps, awaited, { signal, since: momentOf(view.State.FinishedAt) });
    if (line !== undefined) return { container: view, line };
    const now = await viewContainer(deps, awaited.ref, signal);
    if (now === 'unavailable') continue;
    if (now === 'removed' || judge('running', now) === 'hopeless') throw notReady({ ...awaited, view: now });
  }
  throw new NotReadyError(`the events of "${awaited.name}" ended`, { operation: operationOf(awaited) });
}

/** Undefined when the run ended without the line, or the engine did: the events go on telling what is then. */
async function lineIn(
  deps: ClientDeps,
  { ref, goal }: Awaited,
  { signal, since }: { readonly signal: AbortSignal; readonly since: bigint | undefined },
): Promise<LogLine | undefined> {
  if (typeof goal === 'string' || !('log' in goal)) return undefined;
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, leaving.signal]);
  try {
    const log = await openLog(deps, ref, { signal: either, since, follow: true, timestamps: true });
    // Podman does not end the log of a container that ended while it was being opened: it is over when nothing comes after its end.
    let wasOver = false;
    for await (const line of orSilence(deps, logLines(log), either)) {
      // Unlike `test`, it does not begin where the last match of a global expression ended.
      if (line !== undefined && line.text.search(goal.log) !== -1) return line;
      if (line === undefined && wasOver) return undefined;
      wasOver = line === undefined && (await isOver(deps, ref, either));
    }
  } catch (error) {
    if (signal.aborted || !isEngineError(error) || error.kind !== 'unavailable') throw error;
  } finally {
    leaving.abort();
  }
  return undefined;
}

async function isOver(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<boolean> {
  const view = await viewContainer(deps, ref, signal);
  return view !== 'unavailable' && judge('exited', view) === 'reached';
}

async function untilListening(
  deps: ClientDeps,
  awaited: Awaited & { readonly port: number },
  signal: AbortSignal,
): Promise<Reached> {
  const { container } = await untilState(deps, { ...awaited, goal: 'running' }, signal);
  if (container === undefined) throw notReady({ ...awaited, view: 'removed' });
  const over = new AbortController();
  const both = AbortSignal.any([over.signal, signal]);
  try {
    const died = untilState(deps, { ...awaited, goal: 'exited' }, both);
    died.catch(() => {});
    const opened = untilPortOpen(deps, { container, port: awaited.port }, both);
    opened.catch(() => {});
    const end = await Promise.race([opened, died]);
    if (end !== undefined) throw notReady({ ...awaited, view: end.container ?? 'removed' });
    return { container };
  } finally {
    over.abort();
  }
}

/** Undefined for what has not been yet. */
function momentOf(text: string): bigint | undefined {
  const moment = parseTimestamp(text);
  return moment === undefined || moment <= 0n ? undefined : moment;
}

/** Podman says that what is stopping does not run, and has an empty status where there is no health check. */
const NOT_OVER: readonly string[] = ['created', 'stopping'];
const NO_CHECK: readonly (string | undefined)[] = [undefined, 'none', ''];

function judge(goal: Goal, view: ContainerView): 'reached' | 'waiting' | 'hopeless' {
  const isOver = view === 'removed' || (!view.State.Running && !NOT_OVER.includes(view.State.Status));
  if (goal === 'exited') return isOver ? 'reached' : 'waiting';
  if (view === 'removed' || isOver) return 'hopeless';
  const { Running, Restarting, Health } = view.State;
  if (!Running || Restarting) return 'waiting';
  if (goal !== 'healthy') return 'reached';
  if (NO_CHECK.includes(Health?.Status)) return 'hopeless';
  return Health?.Status === 'healthy' ? 'reached' : 'waiting';
}

interface NotReady {
  readonly name: string;
  readonly goal: Goal;
  readonly view: ContainerView | undefined;
}

function operationOf({ name, goal }: Pick<NotReady, 'name' | 'goal'>): string {
  return `wait until "${name}" ${wordsOf(goal)[0]}`;
}

/** What it did not do, why, and what its last probe said. */
function notReady(missed: NotReady, within?: string): NotReadyError {
  const { name, goal, view } = missed;
  const lastProbe = view === undefined || view === 'removed' ? undefined : view.State.Health?.Log?.at(-1);
  const said =
    lastProbe === undefined ? '' : ` Its last probe (exit code ${lastProbe.ExitCode}) said: ${lastProbe.Output.trim()}`;
  const [did, didNot] = wordsOf(goal);
  const operation = operationOf(missed);
  if (within !== undefined)
    return new NotReadyError(`"${name}" ${didNot} ${within}: it ${stateOf(view)}.${said}`, { operation, lastProbe });
  if (view !== undefined && view !== 'removed' && view.State.Running)
    return new NotReadyError(`"${name}" has no health check, so it never becomes healthy.`, { operation });
  return new NotReadyError(`"${name}" ${whatHappened(view)} before it ${did}.${said}`, { operation, lastProbe });
}

function wordsOf(goal: Goal): readonly [did: string, didNot: string] {
  if (goal === 'running') return ['was running', 'was not running'];
  if (goal === 'healthy') return ['was healthy', 'was not healthy'];
  if (goal === 'exited') return ['exited', 'did not exit'];
  if ('log' in goal) return [`wrote ${String(goal.log)}`, `did not write ${String(goal.log)}`];
  return [`took connections on port ${goal.port}`, `took no connection on port ${goal.port}`];
}

function whatHappened(view: ContainerView | undefined): string {
  if (view === undefined || view === 'removed') return 'was removed';
  const { ExitCode, Error: error } = view.State;
  return `exited with code ${ExitCode}${error === '' ? '' : ` (${error})`}`;
}

function stateOf(view: ContainerView | undefined): string {
  if (view === undefined) return 'could not be looked at';
  if (view === 'removed') return 'is removed';
  const { Status, Health } = view.State;
  return Health === undefined ? `is ${Status}` : `is ${Status} and ${Health.Status}`;
}
