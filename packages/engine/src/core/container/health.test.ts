import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Healthcheck } from '@fairlead/protocol';
import {
  HEALTH_LOG_MAX,
  healthAfter,
  healthProbed,
  healthRulesOf,
  inspectHealth,
  nextProbeMs,
  type HealthRecord,
  type HealthRules,
  type ProbeResult,
} from './health.ts';
import type { ContainerState, RunningState } from './state.ts';

const startedAt = new Date('2026-01-01T00:00:00Z');
const RULES: HealthRules = {
  command: ['true'],
  intervalMs: 30_000,
  timeoutMs: 30_000,
  startPeriodMs: 0,
  startIntervalMs: 5_000,
  retries: 3,
};

const running: RunningState = {
  status: 'running',
  created: { process: { pid: 2, startTicks: 2 }, monitor: { pid: 1, startTicks: 1 } },
  endpoint: null,
  startedAt,
  paused: false,
  restartCount: 0,
  last: null,
  delayMs: 0,
  manuallyStopped: false,
  restartCancelled: false,
  keep: false,
  killAt: null,
  killedAfterGrace: false,
};
const exited: ContainerState = {
  status: 'exited',
  last: { exitCode: 0, startedAt, finishedAt: startedAt, oomKilled: false, killedAfterGrace: false, error: '' },
  restartCount: 0,
  manuallyStopped: false,
  failure: null,
};
const paused: RunningState = { ...running, paused: true };
const starting: ContainerState = { status: 'starting', restartCount: 0, delayMs: 0, last: null };

function check(fields: Partial<Healthcheck>): { Healthcheck: Healthcheck; Shell: null } {
  const none = { Test: null, Interval: 0, Timeout: 0, StartPeriod: 0, StartInterval: 0, Retries: 0 };
  return { Healthcheck: { ...none, ...fields }, Shell: null };
}

function result(exitCode: number, atMs = 60_000): ProbeResult {
  const start = new Date(startedAt.getTime() + atMs);
  return { start, end: start, exitCode, output: `${exitCode}` };
}

function health(status: HealthRecord['status'], failingStreak = 0): HealthRecord {
  return { status, failingStreak, log: [] };
}

describe('healthRulesOf', () => {
  const cases: readonly { readonly test: readonly string[] | null; readonly command: readonly string[] | undefined }[] =
    [
      { test: ['CMD', 'curl', '-f', 'x'], command: ['curl', '-f', 'x'] },
      { test: ['CMD-SHELL', 'exit 0'], command: ['/bin/sh', '-c', 'exit 0'] },
      { test: ['NONE'], command: undefined },
      { test: ['CMD'], command: undefined },
      { test: ['WHAT', 'x'], command: undefined },
      { test: [], command: undefined },
      { test: null, command: undefined },
    ];
  for (const { test, command } of cases) {
    it(`${JSON.stringify(test)} runs ${JSON.stringify(command)}`, () => {
      assert.deepEqual(healthRulesOf(check({ Test: test }))?.command, command);
    });
  }

  it("takes the container's own shell, Docker's defaults for zeroes, and nanoseconds for milliseconds", () => {
    const own = healthRulesOf({
      ...check({ Test: ['CMD-SHELL', 'x'], Timeout: 1_500_000 }),
      Shell: ['/bin/ash', '-ec'],
    });
    assert.deepEqual(own, { ...RULES, command: ['/bin/ash', '-ec', 'x'], timeoutMs: 1.5 });
    assert.equal(healthRulesOf({ Healthcheck: null, Shell: null }), undefined);
  });
});

describe('healthAfter', () => {
  const log = [result(1)];
  const known: HealthRecord = { status: 'healthy', failingStreak: 2, log };
  const cases: readonly {
    readonly name: string;
    readonly before: ContainerState;
    readonly after: ContainerState;
    readonly health?: HealthRecord;
    readonly expected: HealthRecord | undefined;
  }[] = [
    {
      name: 'a start begins anew and keeps the log',
      before: starting,
      after: running,
      health: known,
      expected: { status: 'starting', failingStreak: 0, log },
    },
    {
      name: 'the first start has no log',
      before: starting,
      after: running,
      expected: { status: 'starting', failingStreak: 0, log: [] },
    },
    {
      name: 'an exit is unhealthy',
      before: running,
      after: exited,
      health: known,
      expected: { ...known, status: 'unhealthy' },
    },
    {
      name: 'a pause is unhealthy',
      before: running,
      after: paused,
      health: known,
      expected: { ...known, status: 'unhealthy' },
    },
    { name: 'an end of the pause changes nothing', before: paused, after: running, health: known, expected: known },
    {
      name: 'a signal changes nothing',
      before: running,
      after: { ...running, manuallyStopped: true },
      health: known,
      expected: known,
    },
    {
      name: 'what never ran has none',
      before: { status: 'created', failure: null },
      after: starting,
      expected: undefined,
    },
  ];
  for (const { name, before, after, health: had, expected } of cases) {
    it(name, () => assert.deepEqual(healthAfter(had, { before, after }), expected));
  }
});

describe('healthProbed', () => {
  const cases: readonly {
    readonly name: string;
    readonly had: HealthRecord;
    readonly exitCode: number;
    readonly atMs?: number;
    readonly rules?: Partial<HealthRules>;
    readonly expected: readonly [HealthRecord['status'], number];
  }[] = [
    { name: 'the first success is healthy', had: health('starting'), exitCode: 0, expected: ['healthy', 0] },
    {
      name: 'a success within the start period is healthy',
      had: health('starting'),
      exitCode: 0,
      atMs: 5,
      rules: { startPeriodMs: 10 },
      expected: ['healthy', 0],
    },
    {
      name: 'a failure within the start period does not count',
      had: health('starting'),
      exitCode: 1,
      atMs: 9,
      rules: { startPeriodMs: 10, retries: 1 },
      expected: ['starting', 0],
    },
    {
      name: 'a failure at the end of the start period counts',
      had: health('starting'),
      exitCode: 1,
      atMs: 10,
      rules: { startPeriodMs: 10, retries: 1 },
      expected: ['unhealthy', 1],
    },
    {
      name: 'a failure after a success counts within the start period, too',
      had: health('healthy'),
      exitCode: 1,
      atMs: 9,
      rules: { startPeriodMs: 10, retries: 1 },
      expected: ['unhealthy', 1],
    },
    {
      name: 'fewer failures than retries change nothing',
      had: health('healthy', 1),
      exitCode: 1,
      expected: ['healthy', 2],
    },
    {
      name: 'as many failures as retries are unhealthy',
      had: health('healthy', 2),
      exitCode: 2,
      expected: ['unhealthy', 3],
    },
    {
      name: 'a probe that could not be run is a failure',
      had: health('healthy', 2),
      exitCode: -1,
      expected: ['unhealthy', 3],
    },
    {
      name: 'one success after failures is healthy',
      had: health('unhealthy', 9),
      exitCode: 0,
      expected: ['healthy', 0],
    },
    { name: 'failures go on being counted', had: health('unhealthy', 9), exitCode: 1, expected: ['unhealthy', 10] },
  ];
  for (const { name, had, exitCode, atMs, rules, expected } of cases) {
    it(name, () => {
      const { status, failingStreak } = healthProbed(had, result(exitCode, atMs), {
        rules: { ...RULES, ...rules },
        startedAt,
      });
      assert.deepEqual([status, failingStreak], expected);
    });
  }

  it('after any history: the log is the end of it, and the streak and the status follow from it', () => {
    const history = fc.array(fc.record({ exitCode: fc.integer({ min: -1, max: 3 }), atMs: fc.nat(100) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(history, fc.nat(100), fc.integer({ min: 1, max: 5 }), (probes, startPeriodMs, retries) => {
        const results = probes.toSorted((a, b) => a.atMs - b.atMs).map(({ exitCode, atMs }) => result(exitCode, atMs));
        const clock = { rules: { ...RULES, startPeriodMs, retries }, startedAt };
        const end = results.reduce((had, probe) => healthProbed(had, probe, clock), health('starting'));
        assert.deepEqual(end.log, results.slice(-HEALTH_LOG_MAX));
        const lastSuccess = results.findLastIndex(({ exitCode }) => exitCode === 0);
        const counted = results
          .slice(lastSuccess + 1)
          .filter(({ start }) => lastSuccess >= 0 || start.getTime() - startedAt.getTime() >= startPeriodMs).length;
        assert.equal(end.failingStreak, counted);
        const expected = counted >= retries ? 'unhealthy' : lastSuccess >= 0 ? 'healthy' : 'starting';
        assert.equal(end.status, expected);
      }),
    );
  });
});

describe('nextProbeMs', () => {
  const cases: readonly {
    readonly name: string;
    readonly status: HealthRecord['status'];
    readonly nowMs: number;
    readonly rules: Partial<HealthRules>;
    readonly expected: number;
  }[] = [
    { name: 'the interval without a start period', status: 'starting', nowMs: 0, rules: {}, expected: 30_000 },
    {
      name: 'the start interval within the start period',
      status: 'starting',
      nowMs: 0,
      rules: { startPeriodMs: 60_000 },
      expected: 5_000,
    },
    {
      name: 'the interval once it was healthy',
      status: 'healthy',
      nowMs: 0,
      rules: { startPeriodMs: 60_000 },
      expected: 30_000,
    },
    {
      name: 'the interval after the start period',
      status: 'starting',
      nowMs: 60_000,
      rules: { startPeriodMs: 60_000 },
      expected: 30_000,
    },
    {
      name: 'never past the end of the start period by more than an interval',
      status: 'starting',
      nowMs: 0,
      rules: { startPeriodMs: 2_000, intervalMs: 2_000, startIntervalMs: 30_000 },
      expected: 2_000,
    },
  ];
  for (const { name, status, nowMs, rules, expected } of cases) {
    it(name, () => {
      const now = new Date(startedAt.getTime() + nowMs);
      assert.equal(nextProbeMs(status, { rules: { ...RULES, ...rules }, startedAt }, now), expected);
    });
  }
});

describe('inspectHealth', () => {
  it("has Docker's names and times", () => {
    assert.deepEqual(inspectHealth({ status: 'healthy', failingStreak: 0, log: [result(0, 1_000)] }), {
      Status: 'healthy',
      FailingStreak: 0,
      Log: [{ Start: '2026-01-01T00:00:01Z', End: '2026-01-01T00:00:01Z', ExitCode: 0, Output: '0' }],
    });
  });
});
