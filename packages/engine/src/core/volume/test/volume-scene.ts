import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryVolumeStore } from '../../../drivers/volume-fs/volume-store.ts';
import { removeTree } from '../../../host/files.ts';
import { unmountTree } from '../../../host/mounts.ts';
import { silentLog, type Log } from '../../../lib/log.ts';
import { FakeClock } from '../../ports/fake-clock.ts';
import { memoryTable } from '../../ports/memory-records.ts';
import type { VolumeDeps } from '../deps.ts';
import { VolumeDirectory } from '../directory.ts';
import type { VolumeRecord } from '../record.ts';
import type { VolumeUser } from '../user.ts';

/** The volumes of an engine on the real store, with records in memory, and containers as the test says. */
export interface VolumeScene extends VolumeDeps, AsyncDisposable {
  /** `action name`, in order. */
  readonly events: string[];
  readonly failures: unknown[];
  /** The containers that exist. */
  readonly users: VolumeUser[];
  /** The same records and directories with nothing in memory, as after a restart. */
  reopened(): VolumeDeps;
}

export async function volumeScene(): Promise<VolumeScene> {
  const home = await mkdtemp(join(tmpdir(), 'fairlead-volumes-'));
  const events: string[] = [];
  const failures: unknown[] = [];
  const users: VolumeUser[] = [];
  const log: Log = { ...silentLog, failure: (_name, error) => void failures.push(error) };
  const table = memoryTable<VolumeRecord>();
  const store = await DirectoryVolumeStore.open(home);
  const deps: VolumeDeps = {
    directory: new VolumeDirectory(table, () => users),
    store,
    clock: new FakeClock(),
    log,
    publish: ({ action, actorId }) => void events.push(`${action} ${actorId}`),
    transaction: (work) => work(),
  };
  return {
    ...deps,
    events,
    failures,
    users,
    reopened: () => ({ ...deps, directory: new VolumeDirectory(table, () => users) }),
    async [Symbol.asyncDispose]() {
      await unmountTree(home);
      await removeTree(home);
    },
  };
}
