import type { ContainerRef } from '@fairlead/protocol';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';

/** Enough for the answers of waiters to be written. Our own figure. */
const WAITERS_TOLD_MS = 2;

/**
 * Starts a container; resolves when its process runs.
 * @throws EngineError 'not-modified' if it runs already, 'conflict' if paused or being removed, else what the start
 *   failed with; the container is then as it was before, with the failure in its state.
 */
export async function startContainer(
  deps: Pick<ContainerDeps, 'directory' | 'clock'>,
  ref: ContainerRef,
): Promise<void> {
  const actor = deps.directory.resolve(ref);
  try {
    await actor.send({ type: 'start-requested' });
  } catch (cause) {
    if (actor.record.hostConfig.AutoRemove && failedToStart(actor)) await goneOrDead(deps, actor);
    throw cause;
  }
}

function failedToStart(actor: ContainerActor): boolean {
  return 'failure' in actor.state && actor.state.failure !== null;
}

/**
 * An AutoRemove container that could not start is gone before its client reads why; and whoever waits for its removal is
 * told before, too: the CLI gives up its wait when it reads the failure. Source: engine-api 3.7, 4.
 */
async function goneOrDead(deps: Pick<ContainerDeps, 'clock'>, actor: ContainerActor): Promise<void> {
  const settled = new AbortController();
  await Promise.race([
    actor.whenRemoved(settled.signal),
    actor.when((state) => state.status === 'dead', settled.signal),
  ]);
  settled.abort();
  const told = Promise.withResolvers<void>();
  deps.clock.after(WAITERS_TOLD_MS, told.resolve);
  await told.promise;
}
