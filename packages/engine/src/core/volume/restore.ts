import type { ContainerId } from '@fairlead/protocol';
import type { VolumeDeps } from './deps.ts';
import { VOLUME_RECORD_VERSION } from './record.ts';
import { removeVolume } from './remove.ts';

/**
 * Brings records and directories of volumes into agreement after a start of the engine, when containers are known.
 *
 * A directory without a record is a volume when something is in it, as in Docker, and nothing when it is empty: a create that
 * was interrupted. A record without a directory is a removal that was interrupted, unless a container uses it. What was made
 * for a container that never came to be goes.
 *
 * @param isStored whether a container has a record, readable or not
 */
export async function restoreVolumes(deps: VolumeDeps, isStored: (id: ContainerId) => boolean): Promise<void> {
  await deps.store.tidy();
  const stored = new Map((await deps.store.list()).map((volume) => [volume.name, volume]));
  for (const { name, modifiedAt, empty } of stored.values()) {
    if (deps.directory.isStored(name)) continue;
    if (empty) {
      await attempt(deps, name, () => deps.store.remove(name));
      continue;
    }
    deps.log.event('volume.restore.adopted', { volume: name });
    deps.directory.save({ version: VOLUME_RECORD_VERSION, name, createdAt: modifiedAt, labels: null, options: null });
  }
  for (const record of deps.directory.all()) {
    await attempt(deps, record.name, async () => {
      const { madeFor, ...settled } = record;
      const orphaned = madeFor !== undefined && !isStored(madeFor);
      if (orphaned || (!stored.has(record.name) && deps.directory.usersOf(record.name).length === 0)) {
        return await removeVolume(deps, record.name, { force: true });
      }
      if (madeFor !== undefined) deps.directory.save(settled);
      if (!stored.has(record.name)) await deps.store.make(record.name);
    });
  }
}

/** When it is known which containers run: what is mounted for nobody is unmounted. */
export async function unmountUnneeded(deps: VolumeDeps): Promise<void> {
  for (const { name, options } of deps.directory.all()) {
    if (options === null || deps.directory.isNeeded(name)) continue;
    await attempt(deps, name, () => deps.store.unmount(name));
  }
}

/** One volume that cannot be restored keeps none of the others from it. */
async function attempt(deps: Pick<VolumeDeps, 'log'>, volume: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.failure('volume.restore.failed', error, { volume });
  }
}
