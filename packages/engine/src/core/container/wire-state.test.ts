import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerState, LastRun, RunningState } from './state.ts';
import { statusText } from './summary.ts';
import { inspectState, wireStatus } from './wire-state.ts';

const at = new Date('2026-01-01T00:00:00Z');
const later = new Date('2026-01-01T00:00:05Z');
const last: LastRun = {
  exitCode: 3,
  startedAt: at,
  finishedAt: at,
  oomKilled: true,
  killedAfterGrace: false,
  error: '',
};
const running: RunningState = {
  status: 'running',
  created: { process: { pid: 42, startTicks: 2 }, monitor: { pid: 1, startTicks: 1 } },
  ...{ endpoint: null, startedAt: at, paused: false, restartCount: 0, last, delayMs: 0 },
  ...{ manuallyStopped: false, restartCancelled: false, keep: false, killAt: null, killedAfterGrace: false },
};
const restarting: ContainerState = {
  status: 'restarting',
  restartCount: 1,
  last,
  delayMs: 100,
  manuallyStopped: false,
};

/** What people see. Source: engine-api 2.1. */
const cases: readonly {
  readonly name: string;
  readonly state: ContainerState;
  readonly status: string;
  readonly row: string;
  readonly shown: Partial<ReturnType<typeof inspectState>>;
}[] = [
  {
    name: 'before the first start',
    state: { status: 'starting', restartCount: 0, delayMs: 0, last: null },
    status: 'created',
    row: 'Created',
    shown: { Running: false, OOMKilled: false },
  },
  {
    name: 'while somebody starts it again',
    state: { status: 'starting', restartCount: 0, delayMs: 0, last },
    status: 'exited',
    row: 'Exited (3) 5 seconds ago',
    shown: { Running: false, Restarting: false, ExitCode: 3 },
  },
  {
    name: 'between two runs of a restart policy',
    state: restarting,
    status: 'restarting',
    row: 'Restarting (3) 5 seconds ago',
    shown: { Running: true, Restarting: true, ExitCode: 3, Pid: 0 },
  },
  {
    name: 'while a restart policy starts it again',
    state: { status: 'starting', restartCount: 1, delayMs: 100, last },
    status: 'restarting',
    row: 'Restarting (3) 5 seconds ago',
    shown: { Running: true, Restarting: true, ExitCode: 3, Pid: 0 },
  },
  {
    name: 'while it runs, the last run is forgotten',
    state: running,
    status: 'running',
    row: 'Up 5 seconds',
    shown: { Running: true, OOMKilled: false, ExitCode: 0, Pid: 42 },
  },
  {
    name: 'while it runs, and something in it was killed for want of memory',
    state: { ...running, oomKilled: true },
    status: 'running',
    row: 'Up 5 seconds',
    shown: { OOMKilled: true },
  },
  {
    name: 'after it was killed for want of memory',
    state: { status: 'exited', last, restartCount: 0, manuallyStopped: false, failure: null },
    status: 'exited',
    row: 'Exited (3) 5 seconds ago',
    shown: { Running: false, OOMKilled: true },
  },
  {
    name: 'after a start that failed, when it had run before',
    state: {
      ...{ status: 'exited', last, restartCount: 0, manuallyStopped: false },
      failure: { exitCode: 127, message: 'exec: "x": executable file not found in $PATH' },
    },
    status: 'exited',
    row: 'Exited (127) 5 seconds ago',
    shown: { Running: false, ExitCode: 127, Error: 'exec: "x": executable file not found in $PATH' },
  },
  {
    name: 'while it is removed',
    state: { status: 'removing', last, failure: null },
    status: 'removing',
    row: 'Removal In Progress',
    shown: { Running: false, Dead: false },
  },
  {
    name: 'when its remains could not be removed',
    state: { status: 'dead', last, message: 'disk full' },
    status: 'dead',
    row: 'Dead',
    shown: { Running: false, Dead: true },
  },
];

describe('a container as people see it', () => {
  for (const { name, state, status, row, shown } of cases) {
    it(name, () => {
      assert.equal(wireStatus(state), status);
      assert.equal(statusText(state, later), row);
      const inspected = inspectState(state);
      assert.deepEqual({ ...inspected, ...shown }, inspected);
    });
  }

  it('says how it feels while it runs and is not paused', () => {
    const health = { status: 'healthy', failingStreak: 0, log: [] } as const;
    assert.equal(statusText(running, later, health), 'Up 5 seconds (healthy)');
    assert.equal(statusText(running, later, { ...health, status: 'starting' }), 'Up 5 seconds (health: starting)');
    assert.equal(statusText({ ...running, paused: true }, later, health), 'Up 5 seconds (Paused)');
    assert.equal(statusText(restarting, later, health), 'Restarting (3) 5 seconds ago');
  });
});
