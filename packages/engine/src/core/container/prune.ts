import { isEngineError, type Filters, type PruneContainersReport } from '@fairlead/protocol';
import { publishPrune, type PruneDeps } from '../prune/prune-deps.ts';
import { pruneFilter } from '../prune/prune-filters.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';

const PRUNE_FILTERS: readonly string[] = ['label', 'label!', 'until'];

/**
 * Removes the containers that do not run. One that cannot be removed stays, and that is logged.
 *
 * @throws EngineError 'invalid-argument' for an unknown filter or value, 'conflict' while another prune is under way.
 *   Source: engine-api 9.3, moby v28 daemon/prune.go.
 */
export async function pruneContainers(
  deps: Pick<ContainerDeps, 'directory' | 'snapshots' | 'clock'> & PruneDeps,
  filters: Filters,
): Promise<PruneContainersReport> {
  return await deps.onePrune.run(async () => {
    const { accepts } = pruneFilter(filters, { known: PRUNE_FILTERS, now: deps.clock.now() });
    const deleted: string[] = [];
    let reclaimedBytes = 0;
    for (const actor of deps.directory.all()) {
      const { createdAt, config } = actor.record;
      if (!isDone(actor) || !accepts({ createdAt, labels: config.Labels })) continue;
      const bytes = await deps.snapshots.usageBytes(actor.id);
      if (!(await removed(deps, actor))) continue;
      deleted.push(actor.id);
      reclaimedBytes += bytes;
    }
    publishPrune(deps, 'container', reclaimedBytes);
    return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimedBytes };
  });
}

function isDone({ state }: ContainerActor): boolean {
  return state.status === 'created' || state.status === 'exited' || state.status === 'dead';
}

async function removed(deps: PruneDeps, actor: ContainerActor): Promise<boolean> {
  try {
    await actor.send({ type: 'remove-requested' });
    return true;
  } catch (error) {
    // Somebody started or removed it since we looked: then it is not ours to remove, and that is no failure.
    const isLate = isEngineError(error) && error.kind === 'conflict';
    if (!isLate) deps.log.failure('container.prune.failed', error, { containerId: actor.id });
    return false;
  }
}
