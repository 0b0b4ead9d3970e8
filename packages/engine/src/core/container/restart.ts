import { EngineError, isEngineError, type ContainerRef } from '@fairlead/protocol';
import type { ContainerDeps } from './deps.ts';
import { stopContainer, type StopContainer, type StopOutcome } from './stop.ts';
import type { OperationProgress } from '../operation/progress.ts';

/**
 * Stops a container if it runs, and starts it. One operation: it goes on whether or not anybody still waits.
 *
 * @returns how the run before ended; undefined when there was none.
 * @throws EngineError 'not-found', else 'internal' with the cause's words. Source: engine-api 3.8.
 */
export async function restartContainer(
  deps: Pick<ContainerDeps, 'directory' | 'clock' | 'publish'>,
  ref: ContainerRef,
  command: Omit<StopContainer, 'purpose'> & { readonly progress: OperationProgress },
): Promise<StopOutcome | undefined> {
  const actor = deps.directory.resolve(ref);
  try {
    const stopped = await stopIfUp(deps, ref, command);
    await actor.send({ type: 'start-requested' }).catch((cause: unknown) => {
      // Somebody else, or its restart policy, was faster: it runs, which is what was asked for.
      if (!isEngineError(cause) || cause.kind !== 'not-modified') throw cause;
    });
    deps.publish(actor.record, 'restart');
    return stopped;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('internal', `Cannot restart container ${ref}: ${why}`, { cause });
  }
}

async function stopIfUp(
  deps: Pick<ContainerDeps, 'directory' | 'clock' | 'publish'>,
  ref: ContainerRef,
  command: Omit<StopContainer, 'purpose'> & { readonly progress: OperationProgress },
): Promise<StopOutcome | undefined> {
  try {
    return await stopContainer(deps, ref, { ...command, purpose: 'restart' });
  } catch (cause) {
    if (isEngineError(cause) && cause.kind === 'not-modified') return undefined;
    throw cause;
  }
}
