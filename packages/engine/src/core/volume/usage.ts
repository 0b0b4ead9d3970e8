import type { Volume } from '@fairlead/protocol';
import type { VolumeDeps } from './deps.ts';
import { describeVolume } from './view.ts';

/** Every volume with what it takes of the disk and how many containers use it. Walks through all of their files. */
export async function volumesUsage(deps: Pick<VolumeDeps, 'directory' | 'store'>): Promise<readonly Volume[]> {
  return await Promise.all(
    deps.directory.all().map(async (record) => ({
      ...describeVolume(deps, record),
      UsageData: {
        RefCount: deps.directory.usersOf(record.name).length,
        Size: await deps.store.usageBytes(record.name),
      },
    })),
  );
}
