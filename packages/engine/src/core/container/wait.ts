import type { ContainerRef } from '@fairlead/protocol';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import type { ContainerActor } from './actor.ts';
import type { RunResult } from './state.ts';
import type { ContainerDeps } from './deps.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/**
 * Registers a waiter at once and returns the promise of its result: the caller can say "waiting" before it waits.
 *
 * The result rejects with `signal.reason` when that aborts first; nothing happens to the container then.
 * @throws EngineError 'not-found'.
 */
export function waitForContainer(
  deps: Pick<ContainerDeps, 'directory'>,
  ref: ContainerRef,
  options: { readonly condition: WaitCondition; readonly signal: AbortSignal },
): { readonly result: Promise<RunResult> } {
  const actor = deps.directory.resolve(ref);
  const { condition, signal } = options;
  const result = condition === 'removed' ? actor.whenRemoved(signal) : exitOf(actor, condition, signal);
  return { result };
}

async function exitOf(
  actor: ContainerActor,
  condition: 'not-running' | 'next-exit',
  signal: AbortSignal,
): Promise<RunResult> {
  const over = condition === 'not-running' ? endedRun(actor) : undefined;
  if (over !== undefined) return over;
  const exit = Promise.withResolvers<RunResult>();
  using _waiting = actor.onNextExit((last) => exit.resolve({ exitCode: last.exitCode }));
  // A removal ends every wait. Source: engine-api 4.
  using _removal = actor.onRemoved(exit.resolve);
  return await waitOrAbort(exit.promise, signal);
}

function endedRun(actor: ContainerActor): RunResult | undefined {
  const { state } = actor;
  switch (state.status) {
    case 'created':
      return state.failure === null
        ? { exitCode: 0 }
        : { exitCode: state.failure.exitCode, error: state.failure.message };
    case 'exited':
      return state.failure === null
        ? { exitCode: state.last.exitCode }
        : { exitCode: state.failure.exitCode, error: state.failure.message };
    case 'removing':
    case 'dead':
      return { exitCode: state.last?.exitCode ?? 0 };
    case 'starting':
    case 'running':
    case 'restarting':
      return undefined;
    default:
      return state satisfies never;
  }
}
