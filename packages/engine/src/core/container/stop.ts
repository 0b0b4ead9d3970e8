import { assertSupportedSignal, EngineError, isEngineError, parseSignal, type ContainerRef } from '@fairlead/protocol';
import type { OperationProgress } from '../operation/progress.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerState } from './state.ts';

export interface StopContainer {
  /** Name or number; undefined takes the container's own, else SIGTERM. */
  readonly signal: string | undefined;
  /** Milliseconds before SIGKILL. Infinity never kills; undefined takes the container's own, else `DEFAULT_GRACE_MS`. */
  readonly graceMs: number | undefined;
  readonly purpose: 'stop' | 'restart';
}

export interface StopOutcome {
  readonly detail: 'exited' | 'killed';
  readonly exitCode: number;
}

/** Source: moby container/container.go, defaultStopTimeout. */
export const DEFAULT_GRACE_MS: number = 10_000;
/**
 * How long a killed process may take to be gone, clean-up included, before the engine says that it failed.
 * Published as `KillConfirmMs` in `/info`. Source: moby daemon/kill.go waits 10 s after SIGKILL.
 */
export const KILL_CONFIRM_MS: number = 10_000;

const SIGTERM = 15;
const never: AbortSignal = new AbortController().signal;

/**
 * Stops a container and waits for it to exit.
 *
 * The stop belongs to the engine: it goes on whether or not anybody still waits for the promise.
 *
 * @throws EngineError 'not-modified' if it is not running, 'invalid-argument' for a signal that does not exist,
 *   'internal' when it is still there `KILL_CONFIRM_MS` after SIGKILL; then it is still running and may be stopped again.
 */
export async function stopContainer(
  deps: Pick<ContainerDeps, 'directory' | 'clock' | 'publish'>,
  ref: ContainerRef,
  command: StopContainer & { readonly progress: OperationProgress },
): Promise<StopOutcome> {
  const actor = deps.directory.resolve(ref);
  const { progress, purpose } = command;
  const signal = stopSignalOf(actor, command.signal);
  const graceMs = command.graceMs ?? ownGraceMs(actor);
  progress.grace(graceMs);
  progress.bound(graceMs + KILL_CONFIRM_MS);
  progress.phase('signal');
  using _following = followKill(actor, progress);
  await actor.send({ type: 'signal-requested', signal, purpose, graceMs, at: deps.clock.now() });
  if (isUp(actor.state) && !killing(actor.state)) progress.phase('grace');
  const ended = await untilStopped(deps, actor, ref);
  progress.stopped({ outcome: ended.detail, exitCode: ended.exitCode });
  deps.publish(actor.record, 'stop');
  return ended;
}

/** The grace a stop without `t` gives: the container's StopTimeout, else the default. Negative has no end. */
export function ownGraceMs(actor: ContainerActor): number {
  const seconds = actor.record.config.StopTimeout;
  if (seconds === null) return DEFAULT_GRACE_MS;
  return seconds < 0 ? Infinity : seconds * 1000;
}

/** Waits for the end of the run. After SIGKILL the wait has a bound, before it the machine's own timer has. */
async function untilStopped(
  deps: Pick<ContainerDeps, 'clock'>,
  actor: ContainerActor,
  ref: ContainerRef,
): Promise<StopOutcome> {
  await actor.when((state) => !isUp(state) || killing(state), never);
  if (isUp(actor.state)) await untilKilled(deps, actor, `cannot stop container: ${ref}`);
  const { state } = actor;
  const last = 'last' in state ? state.last : null;
  return { detail: last?.killedAfterGrace === true ? 'killed' : 'exited', exitCode: last?.exitCode ?? 0 };
}

/**
 * Waits for a process that was sent SIGKILL.
 * @throws EngineError 'internal' after `KILL_CONFIRM_MS`.
 */
export async function untilKilled(
  deps: Pick<ContainerDeps, 'clock'>,
  actor: ContainerActor,
  prefix: string,
): Promise<void> {
  const overdue = new AbortController();
  using _timer = deps.clock.after(KILL_CONFIRM_MS, () => overdue.abort());
  try {
    await actor.when((state) => !isUp(state), overdue.signal);
  } catch (cause) {
    if (isEngineError(cause)) throw cause;
    throw new EngineError('internal', `${prefix}: tried to kill container, but did not receive an exit event`, {
      cause,
      details: { containerId: actor.id, waitedMs: KILL_CONFIRM_MS },
    });
  }
}

function followKill(actor: ContainerActor, progress: OperationProgress): Disposable {
  return actor.watch((state) => {
    if (!killing(state)) return;
    progress.phase('kill');
    progress.phase('confirm');
  });
}

function stopSignalOf(actor: ContainerActor, asked: string | undefined): number {
  if (asked !== undefined && asked !== '') {
    const signal = parseSignal(asked);
    assertSupportedSignal(signal);
    return signal;
  }
  const own = actor.record.config.StopSignal;
  return own === '' ? SIGTERM : parseSignal(own);
}

function isUp(state: ContainerState): boolean {
  return state.status === 'running' || state.status === 'starting' || state.status === 'restarting';
}

function killing(state: ContainerState): boolean {
  return state.status === 'running' && state.killedAfterGrace;
}
