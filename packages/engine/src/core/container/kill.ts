import { assertSupportedSignal, EngineError, isEngineError, parseSignal, type ContainerRef } from '@fairlead/protocol';
import type { OperationProgress } from '../operation/progress.ts';
import type { ContainerDeps } from './deps.ts';
import { KILL_CONFIRM_MS, untilKilled } from './stop.ts';

export interface KillContainer {
  /** Name or number; undefined or empty is SIGKILL. */
  readonly signal: string | undefined;
  readonly progress: OperationProgress;
}

const SIGKILL = 9;

/**
 * Sends a signal. SIGKILL is waited for, any other only delivered. Source: engine-api 3.9.
 *
 * @throws EngineError 'conflict' if it is not running, 'invalid-argument' for a signal that does not exist (no such word:
 *   before the container is looked up), 'internal' when it outlives SIGKILL by `KILL_CONFIRM_MS`.
 */
export async function killContainer(
  deps: Pick<ContainerDeps, 'directory' | 'clock'>,
  ref: ContainerRef,
  command: KillContainer,
): Promise<void> {
  const signal = command.signal === undefined || command.signal === '' ? SIGKILL : parseSignal(command.signal);
  const prefix = `cannot kill container: ${ref}`;
  const actor = prefixed(prefix, () => {
    const found = deps.directory.resolve(ref);
    assertSupportedSignal(signal);
    return found;
  });
  command.progress.target({ Type: 'container', Id: actor.id, Name: actor.record.name });
  command.progress.bound(signal === SIGKILL ? KILL_CONFIRM_MS : 0);
  command.progress.phase(signal === SIGKILL ? 'kill' : 'signal');
  try {
    await actor.send({ type: 'signal-requested', signal, purpose: 'kill', graceMs: Infinity, at: deps.clock.now() });
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    throw new EngineError(cause.kind, `${prefix}: ${cause.message}`, { cause });
  }
  if (signal !== SIGKILL) return;
  command.progress.phase('confirm');
  await untilKilled(deps, actor, prefix);
}

function prefixed<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    throw new EngineError(cause.kind, `${prefix}: ${cause.message}`, { cause });
  }
}
