import type { ProcessRef } from './container-runtime.ts';

/** Which container is measured. */
export interface UsageTarget {
  /** Of its spec: `/fairlead/<id>`. */
  readonly cgroupsPath: string;
  /** Its first process. */
  readonly process: ProcessRef;
  /** False when it shares the host's network: then there is nothing of its own to count. */
  readonly ownNetwork: boolean;
}

/** Time is nanoseconds since the group was made. */
export interface CpuUsage {
  readonly totalNanos: number;
  /** Undefined where the kernel does not say (cgroup v2). */
  readonly perCpuNanos: readonly number[] | undefined;
  readonly userNanos: number;
  readonly kernelNanos: number;
  /** How long all CPUs of the host have run since boot, idle time included. */
  readonly hostNanos: number;
  readonly onlineCpus: number;
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledNanos: number;
}

/** Memory of all that runs in the container. */
export interface MemoryUsage {
  readonly usageBytes: number;
  /** Undefined where the kernel does not say (cgroup v2). */
  readonly maxUsageBytes: number | undefined;
  /** How often the limit was hit (v1), or the group was out of memory (v2). */
  readonly failures: number;
  /** Infinity without one. */
  readonly limitBytes: number;
  /** The kernel's own counters, by its own names. */
  readonly counters: ReadonlyMap<string, bigint>;
}

/** What was counted of one kind of operation on one device. */
export interface BlockIoCount {
  readonly major: number;
  readonly minor: number;
  readonly operation: string;
  readonly count: number;
}

/** Undefined where the kernel does not say. */
export interface BlockIoUsage {
  readonly bytes: readonly BlockIoCount[] | undefined;
  readonly operations: readonly BlockIoCount[] | undefined;
}

/** Traffic of one network interface. */
export interface InterfaceUsage {
  readonly name: string;
  readonly received: TrafficCount;
  readonly sent: TrafficCount;
}

/** Traffic in one direction. */
export interface TrafficCount {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}

/** What a container has used and uses, at one moment. */
export interface UsageSample {
  readonly at: Date;
  readonly cpu: CpuUsage;
  readonly memory: MemoryUsage;
  readonly processes: number;
  /** Infinity without one. */
  readonly processesLimit: number;
  readonly blockIo: BlockIoUsage;
  /** Its interfaces but the loopback; empty when it has none of its own. */
  readonly interfaces: readonly InterfaceUsage[];
}

/** Measures containers. */
export interface ContainerUsage {
  /** Undefined when the container has ended. Costs about a millisecond. */
  sample(target: UsageTarget): Promise<UsageSample | undefined>;
}
