import type { BlockIoUsage, CpuUsage, MemoryUsage } from '../../core/ports/container-usage.ts';
import { parseCounters, parseLegacyBlockIo, parseNumber, TICK_NANOS } from './kernel-text.ts';

/** Reads one file of a container's group in one controller's hierarchy; undefined when it is not there. */
export type ReadLegacy = (controller: string, file: string) => string | undefined;

/** The part of a CPU's use that a group knows by itself. */
export type GroupCpu = Omit<CpuUsage, 'hostNanos' | 'onlineCpus'>;

/** Counters of memory.stat that Docker shows, as they are and with `total_`. Source: containerd/cgroups v1 stats, MemoryStat. */
const MEMORY_COUNTERS: readonly string[] = [
  ...['cache', 'rss', 'rss_huge', 'mapped_file', 'dirty', 'writeback', 'pgpgin', 'pgpgout', 'pgfault', 'pgmajfault'],
  ...['inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable'],
];
const MEMORY_COUNTERS_SHOWN: ReadonlySet<string> = new Set([
  ...MEMORY_COUNTERS,
  ...MEMORY_COUNTERS.map((name) => `total_${name}`),
  ...['hierarchical_memory_limit', 'hierarchical_memsw_limit'],
]);

/** CPU time on cgroup v1; undefined when the group is gone. */
export function legacyCpu(read: ReadLegacy): GroupCpu | undefined {
  const total = parseNumber(read('cpuacct', 'cpuacct.usage'));
  if (total === undefined) return undefined;
  const ticks = parseCounters(read('cpuacct', 'cpuacct.stat') ?? '');
  const throttling = parseCounters(read('cpu', 'cpu.stat') ?? '');
  const perCpu = read('cpuacct', 'cpuacct.usage_percpu');
  return {
    totalNanos: total,
    perCpuNanos: perCpu?.trim().split(/\s+/).map(Number),
    userNanos: Number(ticks.get('user') ?? 0n) * TICK_NANOS,
    kernelNanos: Number(ticks.get('system') ?? 0n) * TICK_NANOS,
    periods: Number(throttling.get('nr_periods') ?? 0n),
    throttledPeriods: Number(throttling.get('nr_throttled') ?? 0n),
    throttledNanos: Number(throttling.get('throttled_time') ?? 0n),
  };
}

/** Memory on cgroup v1. `statText` is memory.stat: it makes the kernel add up, so it is read apart. */
export function legacyMemory(read: ReadLegacy, statText: string): MemoryUsage {
  const counters = [...parseCounters(statText)].filter(([name]) => MEMORY_COUNTERS_SHOWN.has(name));
  return {
    usageBytes: parseNumber(read('memory', 'memory.usage_in_bytes')) ?? 0,
    maxUsageBytes: parseNumber(read('memory', 'memory.max_usage_in_bytes')) ?? 0,
    failures: parseNumber(read('memory', 'memory.failcnt')) ?? 0,
    limitBytes: parseNumber(read('memory', 'memory.limit_in_bytes')) ?? Infinity,
    counters: new Map(counters),
  };
}

/** Block devices on cgroup v1: of the scheduler that counts for groups, else of the throttler. */
export function legacyBlockIo(read: ReadLegacy): BlockIoUsage {
  const counted = (file: string): BlockIoUsage['bytes'] => {
    const scheduled = parseLegacyBlockIo(read('blkio', `blkio.bfq.${file}`) ?? '');
    return scheduled.length > 0 ? scheduled : parseLegacyBlockIo(read('blkio', `blkio.throttle.${file}`) ?? '');
  };
  return { bytes: counted('io_service_bytes_recursive'), operations: counted('io_serviced_recursive') };
}
