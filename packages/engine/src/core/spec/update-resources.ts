import { EngineError, type Resources } from '@fairlead/protocol';
import { BLOCK_IO_LISTS, type BlockDevices } from './block-io.ts';
import { ociResources } from './resources.ts';
import type { OciResources } from './oci.ts';

/** What an update changes. */
export interface UpdatedResources {
  /** For the record: what was, with what is new. */
  readonly merged: Partial<Resources>;
  /** For the kernel: only what is to be changed, with what must be set together with it. */
  readonly applied: OciResources;
}

/**
 * Puts an update over the limits a container has: 0, empty and null keep them.
 *
 * @param asked checked; a PidsLimit of 0 or less takes the limit away, and is 0 afterwards.
 * @param blockDevices those that `asked` names.
 * @throws EngineError 'conflict' in Docker's words. Source: moby v28 container/container_unix.go, UpdateContainer.
 */
export function updateResources(
  current: Resources,
  asked: Resources,
  blockDevices: BlockDevices = new Map(),
): UpdatedResources {
  refuseConflicts(current, asked);
  const merged: Resources = { ...current, ...changed(current, asked) };
  return { merged: changed(current, asked), applied: appliedOf(merged, asked, blockDevices) };
}

function refuseConflicts(current: Resources, asked: Resources): void {
  const conflicts: readonly (readonly [is: boolean, words: string])[] = [
    [
      asked.NanoCpus > 0 && current.CpuPeriod > 0,
      'Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set',
    ],
    [
      asked.NanoCpus > 0 && current.CpuQuota > 0,
      'Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set',
    ],
    [
      asked.CpuPeriod > 0 && current.NanoCpus > 0,
      'Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set',
    ],
    [
      asked.CpuQuota > 0 && current.NanoCpus > 0,
      'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set',
    ],
    [
      asked.Memory !== 0 && asked.Memory > current.MemorySwap && asked.MemorySwap === 0,
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    ],
  ];
  const found = conflicts.find(([is]) => is);
  if (found !== undefined) throw new EngineError('conflict', found[1]);
}

const NUMBERS = [
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'BlkioWeight',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
] as const satisfies readonly (keyof Resources)[];

function changed(current: Resources, asked: Resources): Partial<Resources> {
  const numbers = NUMBERS.filter((key) => asked[key] !== 0).map((key) => [key, asked[key]] as const);
  return {
    ...Object.fromEntries(numbers),
    ...(asked.CpusetCpus === '' ? {} : { CpusetCpus: asked.CpusetCpus }),
    ...(asked.CpusetMems === '' ? {} : { CpusetMems: asked.CpusetMems }),
    ...Object.fromEntries(BLOCK_IO_LISTS.filter((key) => asked[key].length > 0).map((key) => [key, asked[key]])),
    PidsLimit: asked.PidsLimit === null ? current.PidsLimit : Math.max(asked.PidsLimit, 0),
  };
}

/** Limits that the kernel holds in one file, or checks against each other, go together; what is not asked for is absent. */
function appliedOf(merged: Resources, asked: Resources, blockDevices: BlockDevices): OciResources {
  const inMemory = asked.Memory !== 0 || asked.MemorySwap !== 0;
  const inBandwidth = asked.NanoCpus !== 0 || asked.CpuPeriod !== 0 || asked.CpuQuota !== 0;
  const wanted: Resources = {
    ...asked,
    ...(inMemory ? { Memory: merged.Memory, MemorySwap: merged.MemorySwap } : {}),
    ...(inBandwidth ? { NanoCpus: merged.NanoCpus, CpuPeriod: merged.CpuPeriod, CpuQuota: merged.CpuQuota } : {}),
    MemorySwappiness: null,
    OomKillDisable: null,
  };
  const { memory, cpu, blockIO } = ociResources(wanted, blockDevices);
  return {
    // OCI: -1 is no limit. Unlike a new group's, a limit that is to go must be said.
    memory: { ...memory, ...(inMemory && merged.MemorySwap === -1 ? { swap: -1 } : {}) },
    cpu: { ...cpu, ...(inBandwidth && merged.CpuQuota < 0 ? { quota: -1 } : {}) },
    ...(blockIO === undefined ? {} : { blockIO }),
    ...(asked.PidsLimit === null ? {} : { pids: { limit: asked.PidsLimit > 0 ? asked.PidsLimit : -1 } }),
  };
}
