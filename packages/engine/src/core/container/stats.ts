import {
  EngineError,
  formatDate,
  ZERO_TIME,
  type ContainerRef,
  type ContainerStats,
  type CpuStats,
  type MemoryStats,
  type NetworkStats,
  type WireUint64,
} from '@fairlead/protocol';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { BlockIoCount, ContainerUsage, InterfaceUsage, UsageSample } from '../ports/container-usage.ts';
import { cgroupsPathOf } from '../spec/build-spec.ts';
import { networkChoice } from '../spec/modes.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerRecord } from './record.ts';

/** Source: moby daemon/daemon.go, stats.NewCollector(d, 1*time.Second). */
export const STATS_INTERVAL_MS = 1_000;

export interface StatsDeps extends Pick<ContainerDeps, 'directory' | 'facts' | 'clock'> {
  readonly usage: ContainerUsage;
}

export interface ContainerStatsRequest {
  /** One document a second, until the container is removed. */
  readonly stream: boolean;
  /** One measurement, at once, instead of two a second apart. */
  readonly oneShot: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * What a container uses, document by document; the container is looked up with the call, not with the first pull. While it
 * does not run a stream goes on with zeroes. Source: engine-api 8.3.
 *
 * @throws EngineError 'not-found', 'invalid-argument' for a stream of one shot.
 */
export function containerStats(
  deps: StatsDeps,
  ref: ContainerRef,
  request: ContainerStatsRequest,
): AsyncIterable<ContainerStats> {
  const actor = deps.directory.resolve(ref);
  if (request.stream && request.oneShot) {
    throw new EngineError('invalid-argument', 'cannot have stream=true and one-shot=true');
  }
  return request.stream ? streamed(deps, actor, request.signal) : single(deps, actor, request);
}

async function* streamed(deps: StatsDeps, actor: ContainerActor, signal: AbortSignal): AsyncGenerator<ContainerStats> {
  const over = new AbortController();
  using _removed = actor.onRemoved(() => over.abort());
  const ended = AbortSignal.any([signal, over.signal]);
  let before: UsageSample | undefined;
  // The first document comes after a second, as Docker's.
  while (await pause(deps.clock, ended)) {
    const sample = await measure(deps, actor);
    yield statsOf(deps, actor.record, { sample, before });
    before = sample;
  }
}

async function* single(
  deps: StatsDeps,
  actor: ContainerActor,
  { oneShot, signal }: ContainerStatsRequest,
): AsyncGenerator<ContainerStats> {
  const first = await measure(deps, actor);
  if (first === undefined || oneShot) {
    yield statsOf(deps, actor.record, { sample: first, before: undefined });
    return;
  }
  if (!(await pause(deps.clock, signal))) return;
  yield statsOf(deps, actor.record, { sample: await measure(deps, actor), before: first });
}

/** @returns false when there is nobody to measure for any more. */
async function pause(clock: Clock, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const due = Promise.withResolvers<void>();
  using _timer = clock.after(STATS_INTERVAL_MS, due.resolve);
  try {
    await waitOrAbort(due.promise, signal);
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}

/** Undefined when it does not run. */
async function measure(deps: StatsDeps, { record, state }: ContainerActor): Promise<UsageSample | undefined> {
  if (state.status !== 'running') return undefined;
  const { id, config, hostConfig } = record;
  return await deps.usage.sample({
    cgroupsPath: cgroupsPathOf(id, hostConfig),
    process: state.created.process,
    ownNetwork: networkChoice(config, hostConfig) !== 'host',
  });
}

interface Measured {
  readonly sample: UsageSample | undefined;
  readonly before: UsageSample | undefined;
}

function statsOf(deps: StatsDeps, record: ContainerRecord, { sample, before }: Measured): ContainerStats {
  const interfaces = sample?.interfaces ?? [];
  const networks = Object.fromEntries(interfaces.map((usage) => [usage.name, networkOf(usage)]));
  return {
    read: sample === undefined ? ZERO_TIME : formatDate(sample.at),
    // What was measured before a pause of the container says nothing about now.
    preread: sample === undefined || before === undefined ? ZERO_TIME : formatDate(before.at),
    pids_stats: pidsOf(sample),
    blkio_stats: blockIoOf(sample),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuOf(sample),
    precpu_stats: cpuOf(sample === undefined ? undefined : before),
    memory_stats: memoryOf(sample, deps.facts.memoryBytes),
    name: `/${record.name}`,
    id: record.id,
    ...(interfaces.length === 0 ? {} : { networks }),
  };
}

function pidsOf(sample: UsageSample | undefined): ContainerStats['pids_stats'] {
  if (sample === undefined) return {};
  const { processes: current, processesLimit: limit } = sample;
  return { ...(current === 0 ? {} : { current }), ...(Number.isFinite(limit) ? { limit } : {}) };
}

function cpuOf(sample: UsageSample | undefined): CpuStats {
  const cpu = sample?.cpu;
  return {
    cpu_usage: {
      total_usage: cpu?.totalNanos ?? 0,
      ...(cpu?.perCpuNanos === undefined ? {} : { percpu_usage: cpu.perCpuNanos }),
      usage_in_kernelmode: cpu?.kernelNanos ?? 0,
      usage_in_usermode: cpu?.userNanos ?? 0,
    },
    ...(cpu === undefined ? {} : { system_cpu_usage: cpu.hostNanos, online_cpus: cpu.onlineCpus }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: cpu?.throttledNanos ?? 0,
    },
  };
}

/** Zeroes are left out, as by Docker. */
function memoryOf(sample: UsageSample | undefined, hostBytes: number): MemoryStats {
  if (sample === undefined) return {};
  const { usageBytes, maxUsageBytes = 0, failures, limitBytes, counters } = sample.memory;
  return {
    ...(usageBytes === 0 ? {} : { usage: usageBytes }),
    ...(maxUsageBytes === 0 ? {} : { max_usage: maxUsageBytes }),
    stats: Object.fromEntries([...counters].toSorted(byName).map(([name, value]) => [name, wireNumber(value)])),
    ...(failures === 0 ? {} : { failcnt: failures }),
    limit: Math.min(limitBytes, hostBytes),
  };
}

function blockIoOf(sample: UsageSample | undefined): ContainerStats['blkio_stats'] {
  // cgroup v1 knows the other kinds, too, and no scheduler of today counts them.
  const others = sample?.blockIo.operations === undefined ? null : [];
  return {
    io_service_bytes_recursive: entriesOf(sample?.blockIo.bytes),
    io_serviced_recursive: entriesOf(sample?.blockIo.operations),
    io_queue_recursive: others,
    io_service_time_recursive: others,
    io_wait_time_recursive: others,
    io_merged_recursive: others,
    io_time_recursive: others,
    sectors_recursive: others,
  };
}

function entriesOf(
  counts: readonly BlockIoCount[] | undefined,
): ContainerStats['blkio_stats']['io_serviced_recursive'] {
  if (counts === undefined) return null;
  return counts.map(({ major, minor, operation, count }) => ({ major, minor, op: operation, value: count }));
}

function networkOf({ received, sent }: InterfaceUsage): NetworkStats {
  return {
    rx_bytes: received.bytes,
    rx_packets: received.packets,
    rx_errors: received.errors,
    rx_dropped: received.dropped,
    tx_bytes: sent.bytes,
    tx_packets: sent.packets,
    tx_errors: sent.errors,
    tx_dropped: sent.dropped,
  };
}

function byName([a]: readonly [string, bigint], [b]: readonly [string, bigint]): number {
  return a < b ? -1 : 1;
}

/** JSON has all digits; JavaScript's numbers do not, and clients that read 64 bits notice. */
function wireNumber(value: bigint): WireUint64 {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : JSON.rawJSON(value.toString());
}
