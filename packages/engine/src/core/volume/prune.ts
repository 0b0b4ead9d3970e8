import {
  assertFilterKeys,
  booleanFilter,
  isEngineError,
  type Filters,
  type VolumePruneReport,
} from '@fairlead/protocol';
import type { VolumeDeps } from './deps.ts';
import { isAnonymous } from './record.ts';
import { removeVolume } from './remove.ts';
import { volumeFilter } from './view.ts';

const PRUNE_FILTERS: readonly string[] = ['label', 'label!', 'all'];

export interface PruneVolumes {
  readonly filters: Filters;
  /** Named ones, too: what API versions before 1.42 meant. */
  readonly all: boolean;
}

/**
 * Removes the volumes that no container uses: anonymous ones, with `all` the others, too. Volumes that mount something of
 * the user's (`--opt device=`) stay.
 *
 * @throws EngineError 'invalid-argument' for an unknown filter or value.
 */
export async function pruneVolumes(deps: VolumeDeps, command: PruneVolumes): Promise<VolumePruneReport> {
  const { filters } = command;
  assertFilterKeys(filters, PRUNE_FILTERS);
  const all = booleanFilter(filters, 'all') === true || command.all;
  const accepts = volumeFilter(deps, filters);
  const deleted: string[] = [];
  let reclaimedBytes = 0;
  for (const record of deps.directory.all()) {
    const wanted = record.options === null && (all || isAnonymous(record)) && accepts(record);
    if (!wanted || deps.directory.usersOf(record.name).length > 0) continue;
    const bytes = await deps.store.usageBytes(record.name);
    if (!(await removed(deps, record.name))) continue;
    deleted.push(record.name);
    reclaimedBytes += bytes;
  }
  const attributes = { reclaimed: String(reclaimedBytes) };
  deps.publish({ type: 'volume', action: 'prune', actorId: '', attributes });
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimedBytes };
}

/** Somebody may have begun to use it since we looked: then it stays, and that is no failure. */
async function removed(deps: VolumeDeps, name: string): Promise<boolean> {
  try {
    await removeVolume(deps, name, { force: true });
    return true;
  } catch (error) {
    if (!(isEngineError(error) && error.kind === 'conflict'))
      deps.log.failure('volume.prune.failed', error, { volume: name });
    return false;
  }
}
