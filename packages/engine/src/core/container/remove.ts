import { EngineError, isEngineError, type ContainerRef } from '@fairlead/protocol';
import type { OperationProgress } from '../operation/progress.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import { KILL_CONFIRM_MS, untilKilled } from './stop.ts';

export interface RemoveContainer {
  /** Kill it first if it runs. */
  readonly force: boolean;
  /** Its anonymous volumes go, too, unless another container uses them. */
  readonly volumes: boolean;
  readonly progress: OperationProgress;
}

const SIGKILL = 9;

/**
 * Removes a container: its writable layer, its log, its record and its name.
 *
 * @throws EngineError 'conflict' if it runs and `force` is not set, or if it is being removed already; 'internal' if it
 *   cannot be killed, or if something of it could not be deleted: it is then dead and may be removed again.
 */
export async function removeContainer(
  deps: Pick<ContainerDeps, 'directory' | 'clock'>,
  ref: ContainerRef,
  command: RemoveContainer,
): Promise<void> {
  const actor = deps.directory.resolve(ref);
  if (command.force) await killForRemoval(deps, actor, { ref, progress: command.progress });
  command.progress.phase('confirm');
  try {
    await actor.send({ type: 'remove-requested', volumes: command.volumes });
  } catch (cause) {
    // Its own AutoRemove was faster after the kill: removals are one turn of the mailbox, so it is gone, as asked.
    if (command.force && actor.record.hostConfig.AutoRemove && actor.state.status === 'removing') return;
    throw refused(cause, actor, ref);
  }
}

async function killForRemoval(
  deps: Pick<ContainerDeps, 'directory' | 'clock'>,
  actor: ContainerActor,
  command: { readonly ref: ContainerRef; readonly progress: OperationProgress },
): Promise<void> {
  command.progress.bound(KILL_CONFIRM_MS);
  command.progress.phase('kill');
  try {
    await actor.send({
      type: 'signal-requested',
      signal: SIGKILL,
      purpose: 'kill',
      graceMs: Infinity,
      at: deps.clock.now(),
    });
  } catch (cause) {
    if (isEngineError(cause) && cause.kind === 'conflict') return; // it is not running
    throw cause;
  }
  await untilKilled(deps, actor, `cannot remove container "${command.ref}": could not kill container`);
}

function refused(cause: unknown, actor: ContainerActor, ref: ContainerRef): unknown {
  if (!isEngineError(cause) || cause.kind !== 'conflict') return cause;
  if (actor.state.status === 'removing') {
    return new EngineError('conflict', `removal of container ${ref} is already in progress`, { cause });
  }
  return new EngineError('conflict', `cannot remove container "${ref}": ${cause.message}`, { cause });
}
