import { readFileSync } from 'node:fs';

/** A moment of a host's monotonic clock. Moments of two boots cannot be compared. */
export interface HostMoment {
  readonly bootId: string;
  readonly ms: number;
}

/** The host's monotonic clock, which goes on when a program is started again. */
export interface HostClock {
  readonly bootId: string;
  /** Milliseconds since some moment of this boot. */
  nowMs(): number;
}

/**
 * CLOCK_MONOTONIC. Source: proc(5), boot_id; Node's hrtime is libuv's uv_hrtime, which reads that clock, as performance.now() does,
 * which counts from the program's start and costs a fraction.
 */
export function hostClock(): HostClock {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const startedMs = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();
  return { bootId, nowMs: () => startedMs + performance.now() };
}

/** How long ago `moment` was; undefined when it was before the last boot. */
export function sinceMs(clock: HostClock, moment: HostMoment): number | undefined {
  return moment.bootId === clock.bootId ? Math.max(0, clock.nowMs() - moment.ms) : undefined;
}
