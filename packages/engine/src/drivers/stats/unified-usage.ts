import type { BlockIoUsage, MemoryUsage } from '../../core/ports/container-usage.ts';
import { parseCounters, parseNumber, parseUnifiedBlockIo } from './kernel-text.ts';
import type { GroupCpu } from './legacy-usage.ts';

/** Reads one file of a container's group; undefined when it is not there. */
export type ReadUnified = (file: string) => string | undefined;

const NANOS_PER_MICRO = 1000;

/** Counters of memory.stat that Docker shows. Source: moby v28 daemon/daemon_unix.go, statsV2. */
const MEMORY_COUNTERS_SHOWN: ReadonlySet<string> = new Set([
  ...['anon', 'file', 'kernel_stack', 'slab', 'sock', 'shmem', 'file_mapped', 'file_dirty', 'file_writeback'],
  ...['anon_thp', 'inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable', 'slab_reclaimable'],
  ...['slab_unreclaimable', 'pgfault', 'pgmajfault', 'workingset_refault', 'workingset_activate'],
  ...['workingset_nodereclaim', 'pgrefill', 'pgscan', 'pgsteal', 'pgactivate', 'pgdeactivate', 'pglazyfree'],
  ...['pglazyfreed', 'thp_fault_alloc', 'thp_collapse_alloc'],
]);

/** CPU time on cgroup v2; undefined when the group is gone. */
export function unifiedCpu(read: ReadUnified): GroupCpu | undefined {
  const text = read('cpu.stat');
  if (text === undefined) return undefined;
  const counters = parseCounters(text);
  const nanos = (name: string): number => Number(counters.get(name) ?? 0n) * NANOS_PER_MICRO;
  return {
    totalNanos: nanos('usage_usec'),
    perCpuNanos: undefined,
    userNanos: nanos('user_usec'),
    kernelNanos: nanos('system_usec'),
    periods: Number(counters.get('nr_periods') ?? 0n),
    throttledPeriods: Number(counters.get('nr_throttled') ?? 0n),
    throttledNanos: nanos('throttled_usec'),
  };
}

/** Memory on cgroup v2. `statText` is memory.stat: it makes the kernel add up, so it is read apart. */
export function unifiedMemory(read: ReadUnified, statText: string): MemoryUsage {
  const counters = [...parseCounters(statText)].filter(([name]) => MEMORY_COUNTERS_SHOWN.has(name));
  return {
    usageBytes: parseNumber(read('memory.current')) ?? 0,
    maxUsageBytes: undefined,
    failures: Number(parseCounters(read('memory.events') ?? '').get('oom') ?? 0n),
    limitBytes: parseNumber(read('memory.max')) ?? Infinity,
    counters: new Map(counters),
  };
}

/** Block devices on cgroup v2. Docker shows bytes only, and null without devices. */
export function unifiedBlockIo(read: ReadUnified): BlockIoUsage {
  const bytes = parseUnifiedBlockIo(read('io.stat') ?? '');
  return { bytes: bytes.length === 0 ? undefined : bytes, operations: undefined };
}
