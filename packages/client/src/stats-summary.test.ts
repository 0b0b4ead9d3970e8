import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cpuPercent, memoryUsed } from './stats-summary.ts';

const cpu = (total: number, system: number | undefined, cpus = 2): Parameters<typeof cpuPercent>[0]['cpu_stats'] => ({
  cpu_usage: { total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: 0, percpu_usage: [0, 0, 0, 0] },
  ...(system === undefined ? {} : { system_cpu_usage: system }),
  online_cpus: cpus,
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
});

describe('cpuPercent', () => {
  const cases = [
    { what: 'one of two CPUs in full use', now: cpu(1500, 3000), before: cpu(500, 1000), percent: 100 },
    { what: 'both', now: cpu(2500, 3000), before: cpu(500, 1000), percent: 200 },
    { what: 'no earlier measurement of the host', now: cpu(1000, undefined), before: cpu(0, undefined), percent: 0 },
    { what: 'a counter that began anew', now: cpu(5, 3000), before: cpu(500, 1000), percent: 0 },
    { what: 'CPUs that are listed only', now: cpu(1000, 2000, 0), before: cpu(0, 0, 0), percent: 200 },
  ];
  for (const { what, now, before, percent } of cases) {
    it(`${percent} for ${what}`, () => assert.equal(cpuPercent({ cpu_stats: now, precpu_stats: before }), percent));
  }
});

describe('memoryUsed', () => {
  const cases = [
    { what: 'cgroup v1', stats: { total_inactive_file: 30, inactive_file: 1 }, used: 70 },
    { what: 'cgroup v2', stats: { inactive_file: 40 }, used: 60 },
    { what: 'more cache than use', stats: { inactive_file: 200 }, used: 100 },
    { what: 'no counters', stats: {}, used: 100 },
  ];
  for (const { what, stats, used } of cases) {
    it(`leaves out the idle cache with ${what}`, () => assert.equal(memoryUsed({ usage: 100, stats }), used));
  }
});
