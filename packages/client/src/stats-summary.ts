import type { BlockIoStats, ContainerStats, MemoryStats } from '@fairlead/protocol';

/** What `docker stats` shows of a container. */
export interface StatsSummary {
  /** 100 is one CPU in full use; 0 in a document without an earlier measurement. */
  readonly cpuPercent: number;
  /** Without what the kernel keeps only because nobody else wants the memory. */
  readonly memoryUsedBytes: number;
  /** The host's memory when the container has no limit. */
  readonly memoryLimitBytes: number;
  readonly memoryPercent: number;
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
  readonly blockReadBytes: number;
  readonly blockWrittenBytes: number;
  /** Processes and threads. */
  readonly processes: number;
}

/** The figures that people look at, worked out as Docker's CLI does. Source: docker/cli, cli/command/container/stats_helpers.go. */
export function summarizeStats(stats: ContainerStats): StatsSummary {
  const memoryUsedBytes = memoryUsed(stats.memory_stats);
  const memoryLimitBytes = stats.memory_stats.limit ?? 0;
  const networks = Object.values(stats.networks ?? {});
  return {
    cpuPercent: cpuPercent(stats),
    memoryUsedBytes,
    memoryLimitBytes,
    memoryPercent: memoryLimitBytes === 0 ? 0 : (memoryUsedBytes / memoryLimitBytes) * 100,
    networkReceivedBytes: networks.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    networkSentBytes: networks.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    blockReadBytes: blockBytes(stats.blkio_stats, 'r'),
    blockWrittenBytes: blockBytes(stats.blkio_stats, 'w'),
    processes: stats.pids_stats.current ?? 0,
  };
}

/** CPU use between the two measurements of a document, in per cent of one CPU. */
export function cpuPercent({ cpu_stats, precpu_stats }: Pick<ContainerStats, 'cpu_stats' | 'precpu_stats'>): number {
  const used = cpu_stats.cpu_usage.total_usage - precpu_stats.cpu_usage.total_usage;
  const elapsed = (cpu_stats.system_cpu_usage ?? 0) - (precpu_stats.system_cpu_usage ?? 0);
  if (used <= 0 || elapsed <= 0) return 0;
  const online = cpu_stats.online_cpus ?? 0;
  const cpus = online > 0 ? online : (cpu_stats.cpu_usage.percpu_usage?.length ?? 0);
  return (used / elapsed) * cpus * 100;
}

/** Bytes in use without the inactive part of the page cache, which cgroup v1 and v2 name differently. */
export function memoryUsed({ usage = 0, stats = {} }: MemoryStats): number {
  for (const name of ['total_inactive_file', 'inactive_file']) {
    const inactive = Number(stats[name]);
    if (inactive < usage) return usage - inactive;
  }
  return usage;
}

function blockBytes({ io_service_bytes_recursive }: BlockIoStats, letter: 'r' | 'w'): number {
  return (io_service_bytes_recursive ?? [])
    .filter(({ op }) => op.toLowerCase().startsWith(letter))
    .reduce((sum, { value }) => sum + value, 0);
}
