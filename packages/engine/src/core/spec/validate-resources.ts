import { EngineError, type Resources } from '@fairlead/protocol';
import { checkBlockIo } from './block-io.ts';
import { checkCpuSet } from './cpu-set.ts';
import type { HostFacts } from './host-facts.ts';

/** Less does not let a container start. Source: moby daemon/daemon_unix.go, linuxMinMemory. */
export const MEMORY_BYTES_MIN: number = 6 * 1024 * 1024;

/** What is in force of the resources that were asked for, and what a person should know about the rest. */
export interface CheckedResources {
  readonly resources: Partial<Resources>;
  readonly warnings: readonly string[];
}

/** An update says only what changes: what it leaves out is not a wish. */
export type ResourcesPurpose = 'create' | 'update';

/**
 * Checks limits against each other and against what the host can do; what it cannot do is discarded with a warning.
 *
 * @throws EngineError 'invalid-argument' in Docker's words. Source: moby v28 verifyPlatformContainerResources.
 */
export function checkResources(
  hostConfig: Resources,
  facts: HostFacts,
  purpose: ResourcesPurpose = 'create',
): CheckedResources {
  const memory = checkMemory(hostConfig, facts, purpose);
  const cpu = checkCpu(hostConfig, facts);
  const pids = checkPids(hostConfig, facts);
  const blockIo = checkBlockIo(hostConfig, facts.cgroups);
  return {
    resources: { ...memory.resources, ...cpu.resources, ...pids.resources, ...blockIo.resources },
    warnings: [...memory.warnings, ...pids.warnings, ...cpu.warnings, ...blockIo.warnings],
  };
}

function checkMemory(hostConfig: Resources, facts: HostFacts, purpose: ResourcesPurpose): CheckedResources {
  const warnings: string[] = [];
  const { cgroups } = facts;
  let { Memory: memory, MemorySwap: swap, MemoryReservation: reservation, MemorySwappiness: swappiness } = hostConfig;
  refuseIf(memory !== 0 && memory < MEMORY_BYTES_MIN, 'Minimum memory limit allowed is 6MB');
  if (memory > 0 && !cgroups.memory) {
    warnings.push(unsupported('memory limit capabilities or the cgroup is not mounted. Limitation discarded.'));
    memory = 0;
    swap = -1;
  }
  if (memory > 0 && swap !== -1 && !cgroups.swap) {
    warnings.push(unsupported('swap limit capabilities or the cgroup is not mounted. Memory limited without swap.'));
    swap = -1;
  }
  refuseIf(
    memory > 0 && swap > 0 && swap < memory,
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  );
  refuseIf(
    purpose === 'create' && memory === 0 && swap > 0,
    'You should always set the Memory limit when using Memoryswap limit, see usage',
  );
  if (swappiness !== null && !cgroups.memorySwappiness) {
    warnings.push(
      unsupported('memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.'),
    );
    swappiness = null;
  }
  refuseIf(
    swappiness !== null && (swappiness < 0 || swappiness > 100),
    `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`,
  );
  if (reservation > 0 && !cgroups.memoryReservation) {
    warnings.push(unsupported('memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.'));
    reservation = 0;
  }
  refuseIf(reservation > 0 && reservation < MEMORY_BYTES_MIN, 'Minimum memory reservation allowed is 6MB');
  refuseIf(
    memory > 0 && reservation > memory,
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  );
  const tcp = checkTcpMemory(hostConfig, facts);
  const oom = checkOomKill(hostConfig, facts, memory);
  return {
    resources: {
      Memory: memory,
      // Twice the memory: as much swap again. Source: moby adaptContainerSettings.
      MemorySwap: purpose === 'create' && memory > 0 && swap === 0 ? memory * 2 : swap,
      MemoryReservation: reservation,
      MemorySwappiness: swappiness,
      ...tcp.resources,
      ...oom.resources,
    },
    warnings: [...warnings, ...tcp.warnings, ...oom.warnings],
  };
}

function checkOomKill(hostConfig: Resources, facts: HostFacts, memory: number): CheckedResources {
  if (hostConfig.OomKillDisable !== true) return { resources: { OomKillDisable: false }, warnings: [] };
  if (!facts.cgroups.oomKillDisable) {
    return {
      resources: { OomKillDisable: null },
      warnings: [unsupported('OomKillDisable. OomKillDisable discarded.')],
    };
  }
  const dangerous =
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.';
  return { resources: {}, warnings: memory === 0 ? [dangerous] : [] };
}

function checkTcpMemory({ KernelMemoryTCP: limit }: Resources, facts: HostFacts): CheckedResources {
  if (limit <= 0 || facts.cgroups.kernelMemoryTcp) return { resources: {}, warnings: [] };
  const warning = unsupported(
    'kernel memory TCP limit capabilities or the cgroup is not mounted. Limitation discarded.',
  );
  return { resources: { KernelMemoryTCP: 0 }, warnings: [warning] };
}

function checkPids(hostConfig: Resources, facts: HostFacts): CheckedResources {
  if (hostConfig.PidsLimit === null || facts.cgroups.pids) return { resources: {}, warnings: [] };
  const warning = unsupported('PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.');
  return { resources: { PidsLimit: null }, warnings: [warning] };
}

function checkCpu(hostConfig: Resources, facts: HostFacts): CheckedResources {
  const warnings: string[] = [];
  const { NanoCpus: nanos, CpuPeriod: period, CpuQuota: quota, CpuShares: shares } = hostConfig;
  const { cgroups, cpuCount } = facts;
  refuseIf(nanos > 0 && period > 0, 'Conflicting options: Nano CPUs and CPU Period cannot both be set');
  refuseIf(nanos > 0 && quota > 0, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  const noScheduler =
    'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted';
  refuseIf(nanos > 0 && !cgroups.cpuQuota, noScheduler);
  refuseIf(
    nanos < 0 || nanos > cpuCount * 1e9,
    `Range of CPUs is from 0.01 to ${cpuCount}.00, as there are only ${cpuCount} CPUs available`,
  );
  refuseIf(shares < 0, 'shares: invalid argument');
  const sharesLost = shares > 0 && !cgroups.cpuShares;
  if (sharesLost) warnings.push(unsupported('CPU shares or the cgroup is not mounted. Shares discarded.'));
  const quotaLost = (period !== 0 || quota !== 0) && !cgroups.cpuQuota;
  if (quotaLost) warnings.push(unsupported('CPU CFS scheduler. CPU period/quota discarded.'));
  refuseIf(
    !quotaLost && period !== 0 && (period < 1000 || period > 1_000_000),
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  );
  refuseIf(!quotaLost && quota > 0 && quota < 1000, 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  checkRealtime(hostConfig, facts);
  const cpuset = checkCpusets(hostConfig, facts);
  return {
    resources: {
      ...(sharesLost ? { CpuShares: 0 } : {}),
      ...(quotaLost ? { CpuPeriod: 0, CpuQuota: 0 } : {}),
      ...cpuset.resources,
    },
    warnings: [...warnings, ...cpuset.warnings],
  };
}

/** Source: moby v28 runconfig/hostconfig_unix.go, validateResources. */
function checkRealtime({ CpuRealtimePeriod: period, CpuRealtimeRuntime: runtime }: Resources, facts: HostFacts): void {
  const isAsked = period !== 0 || runtime !== 0;
  refuseIf(isAsked && !facts.cgroups.cpuRealtime, 'your kernel does not support CPU real-time scheduler');
  refuseIf(
    period !== 0 && runtime !== 0 && runtime > period,
    'cpu real-time runtime cannot be higher than cpu real-time period',
  );
}

function checkCpusets(hostConfig: Resources, facts: HostFacts): CheckedResources {
  const { CpusetCpus: cpus, CpusetMems: mems } = hostConfig;
  if ((cpus !== '' || mems !== '') && !facts.cgroups.cpuset) {
    const warning = unsupported('cpuset or the cgroup is not mounted. Cpuset discarded.');
    return { resources: { CpusetCpus: '', CpusetMems: '' }, warnings: [warning] };
  }
  checkCpuSet('cpus', cpus, facts.onlineCpus);
  checkCpuSet('mems', mems, facts.onlineMemoryNodes);
  return { resources: {}, warnings: [] };
}

function unsupported(what: string): string {
  return `Your kernel does not support ${what}`;
}

function refuseIf(wrong: boolean, message: string): void {
  if (wrong) throw new EngineError('invalid-argument', message);
}
