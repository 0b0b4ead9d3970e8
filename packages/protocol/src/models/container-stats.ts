import type { StringMap } from '../codec/go-schema.ts';

/** A whole number of 64 bits: as a number up to 2^53, beyond it as what `JSON.rawJSON` makes of its digits. */
export type WireUint64 = number | { readonly rawJSON: string };

export interface CpuStats {
  readonly cpu_usage: {
    /** This and the following are nanoseconds. */
    readonly total_usage: number;
    /** By CPU; only on cgroup v1. */
    readonly percpu_usage?: readonly number[];
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  /** Nanoseconds that all CPUs of the host have run, idle time included. Left out when nothing was measured. */
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    /** Nanoseconds. */
    readonly throttled_time: number;
  };
}

export interface BlockIoEntry {
  readonly major: number;
  readonly minor: number;
  /** `read`, `write` and, on cgroup v1, `sync`, `async`, `discard`, `total`, in any case. */
  readonly op: string;
  readonly value: number;
}

/** null where the kernel does not say. */
export interface BlockIoStats {
  readonly io_service_bytes_recursive: readonly BlockIoEntry[] | null;
  readonly io_serviced_recursive: readonly BlockIoEntry[] | null;
  readonly io_queue_recursive: readonly BlockIoEntry[] | null;
  readonly io_service_time_recursive: readonly BlockIoEntry[] | null;
  readonly io_wait_time_recursive: readonly BlockIoEntry[] | null;
  readonly io_merged_recursive: readonly BlockIoEntry[] | null;
  readonly io_time_recursive: readonly BlockIoEntry[] | null;
  readonly sectors_recursive: readonly BlockIoEntry[] | null;
}

/** Bytes. Empty when nothing was measured. */
export interface MemoryStats {
  readonly usage?: number;
  /** Only on cgroup v1. */
  readonly max_usage?: number;
  /** The kernel's own counters, by its own names. */
  readonly stats?: StringMap<WireUint64>;
  readonly failcnt?: number;
  /** The host's memory when the container has no limit. */
  readonly limit?: number;
}

export interface NetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

/** Each document of `GET /containers/{id}/stats`. Source: engine-api 8.3. */
export interface ContainerStats {
  /** RFC 3339; the zero time when nothing was measured. */
  readonly read: string;
  /** When `precpu_stats` was measured; the zero time when it was not. */
  readonly preread: string;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly blkio_stats: BlockIoStats;
  /** Only Windows has one. */
  readonly num_procs: 0;
  /** Only Windows has one. */
  readonly storage_stats: Readonly<Record<string, never>>;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  /** With a leading slash. */
  readonly name: string;
  readonly id: string;
  /** By interface; left out when the container has none of its own. */
  readonly networks?: StringMap<NetworkStats>;
}
