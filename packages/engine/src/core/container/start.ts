import type { ContainerRef } from '@fairlead/protocol';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';

/**
 * Starts a container; resolves when its process runs.
 * @throws EngineError 'not-modified' if it runs already, 'conflict' if paused or being removed, else what the start
 *   failed with; the container is then as it was before, with the failure in its state.
 */
export async function startContainer(deps: Pick<ContainerDeps, 'directory'>, ref: ContainerRef): Promise<void> {
  const actor = deps.directory.resolve(ref);
  try {
    await actor.send({ type: 'start-requested' });
  } catch (cause) {
    if (actor.record.hostConfig.AutoRemove && failedToStart(actor)) await goneOrDead(actor);
    throw cause;
  }
}

function failedToStart(actor: ContainerActor): boolean {
  return 'failure' in actor.state && actor.state.failure !== null;
}

/** An AutoRemove container that could not start is gone before its client reads why. Source: engine-api 3.7. */
async function goneOrDead(actor: ContainerActor): Promise<void> {
  const settled = new AbortController();
  await Promise.race([actor.removed, actor.when((state) => state.status === 'dead', settled.signal)]);
  settled.abort();
}
