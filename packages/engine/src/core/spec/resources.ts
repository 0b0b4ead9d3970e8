import type { Resources } from '@fairlead/protocol';
import { ociBlockIo, type BlockDevices } from './block-io.ts';
import type { OciCpu, OciMemory, OciResources } from './oci.ts';

/** Microseconds: the period NanoCpus is turned into. Source: moby getCPUResources. */
const CPU_PERIOD_US = 100_000;

/** What the kernel takes. Source: kernel/sched/sched.h, MIN_SHARES and MAX_SHARES. */
const CPU_SHARES_MIN = 2;
const CPU_SHARES_MAX = 262_144;

/** The limits of a container in OCI's words, for cgroup v1 and v2 alike: the runtime translates. */
export function ociResources(resources: Resources, blockDevices: BlockDevices): Omit<OciResources, 'devices'> {
  const blockIO = ociBlockIo(resources, blockDevices);
  const pidsLimit = resources.PidsLimit ?? 0;
  return {
    memory: memoryOf(resources),
    cpu: cpuOf(resources),
    ...(Object.keys(blockIO).length === 0 ? {} : { blockIO }),
    ...(pidsLimit > 0 ? { pids: { limit: pidsLimit } } : {}),
  };
}

function memoryOf(resources: Resources): OciMemory {
  const { Memory: limit, MemorySwap: swap, MemoryReservation: reservation, MemorySwappiness: swappiness } = resources;
  return {
    ...(limit > 0 ? { limit } : {}),
    ...(reservation > 0 ? { reservation } : {}),
    // No limit is what a new cgroup has; writing it would fail on a host without swap accounting.
    ...(swap > 0 ? { swap } : {}),
    ...(resources.KernelMemoryTCP > 0 ? { kernelTCP: resources.KernelMemoryTCP } : {}),
    ...(swappiness === null ? {} : { swappiness }),
    ...(resources.OomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

function cpuOf(resources: Resources): OciCpu {
  const { NanoCpus: nanos, CpuPeriod: period, CpuQuota: quota, CpuShares: shares } = resources;
  return {
    ...(shares > 0 ? { shares: Math.min(Math.max(shares, CPU_SHARES_MIN), CPU_SHARES_MAX) } : {}),
    ...(nanos > 0 ? { period: CPU_PERIOD_US, quota: Math.floor((nanos * CPU_PERIOD_US) / 1e9) } : {}),
    ...(period === 0 ? {} : { period }),
    // A negative one is none, which is what a new cgroup has.
    ...(quota > 0 ? { quota } : {}),
    ...(resources.CpuRealtimePeriod === 0 ? {} : { realtimePeriod: resources.CpuRealtimePeriod }),
    ...(resources.CpuRealtimeRuntime === 0 ? {} : { realtimeRuntime: resources.CpuRealtimeRuntime }),
    ...(resources.CpusetCpus === '' ? {} : { cpus: resources.CpusetCpus }),
    ...(resources.CpusetMems === '' ? {} : { mems: resources.CpusetMems }),
  };
}
