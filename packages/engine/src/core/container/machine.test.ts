import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { transition, type ContainerEffect, type ContainerEvent, type ContainerRules } from './machine.ts';
import type { ContainerState, LastRun, RunningState } from './state.ts';
import { containerId } from '@fairlead/protocol';

const at = new Date('2026-01-01T00:00:00Z');
const later = (ms: number): Date => new Date(at.getTime() + ms);
const id = containerId('ab'.repeat(32));
const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };
const last: LastRun = {
  exitCode: 3,
  startedAt: at,
  finishedAt: later(1_000),
  oomKilled: false,
  killedAfterGrace: false,
  error: '',
};
const running: RunningState = {
  status: 'running',
  created,
  endpoint: null,
  startedAt: at,
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
const paused: RunningState = { ...running, paused: true };
const exited: ContainerState = { status: 'exited', last, restartCount: 0, manuallyStopped: false, failure: null };
const restarting: ContainerState = {
  status: 'restarting',
  last,
  restartCount: 1,
  delayMs: 100,
  manuallyStopped: false,
};
const removing: ContainerState = { status: 'removing', last, failure: null };
const neverRan: ContainerState = { status: 'created', failure: null };
const dead: ContainerState = { status: 'dead', last, message: 'disk full' };

const rules: ContainerRules = {
  id,
  restartPolicy: { name: 'no', maximumRetryCount: 0 },
  autoRemove: false,
  stopSignal: undefined,
};
const always: ContainerRules = { ...rules, restartPolicy: { name: 'always', maximumRetryCount: 0 } };

const stop = (graceMs = 5_000): ContainerEvent => ({
  type: 'signal-requested',
  signal: 15,
  purpose: 'stop',
  graceMs,
  at,
});
const kill = (signal = 9): ContainerEvent => ({
  type: 'signal-requested',
  signal,
  purpose: 'kill',
  graceMs: Infinity,
  at,
});
const exit = (exitCode: number, ranMs = 1_000): ContainerEvent => ({
  type: 'exited',
  exit: { id, exitCode, oomKilled: false, at: later(ranMs) },
});

interface Case {
  readonly from: ContainerState;
  readonly on: ContainerEvent;
  readonly under?: ContainerRules;
  readonly to?: ContainerState['status'];
  readonly refused?: string;
  readonly words?: string;
  readonly effects?: readonly ContainerEffect['effect'][];
  readonly told?: readonly string[];
}

const MARKED = 'container is marked for removal and cannot be started';

const cases: readonly Case[] = [
  { from: neverRan, on: { type: 'start-requested' }, to: 'starting', effects: ['launch'] },
  { from: exited, on: { type: 'start-requested' }, to: 'starting', effects: ['launch'] },
  { from: running, on: { type: 'start-requested' }, refused: 'not-modified' },
  { from: paused, on: { type: 'start-requested' }, refused: 'conflict' },
  { from: restarting, on: { type: 'start-requested' }, refused: 'not-modified' },
  { from: removing, on: { type: 'start-requested' }, refused: 'conflict', words: MARKED },
  { from: dead, on: { type: 'start-requested' }, refused: 'conflict', words: MARKED },
  { from: dead, on: { type: 'pause-requested' }, refused: 'conflict' },
  { from: dead, on: stop(), refused: 'not-modified' },
  { from: dead, on: kill(), refused: 'conflict' },
  { from: neverRan, on: stop(), refused: 'not-modified' },
  { from: exited, on: stop(), refused: 'not-modified' },
  { from: running, on: stop(), to: 'running', effects: ['send-signal', 'arm-grace-timer'], told: ['kill'] },
  { from: running, on: stop(Infinity), to: 'running', effects: ['send-signal'], told: ['kill'] },
  {
    from: paused,
    on: stop(),
    to: 'running',
    effects: ['send-signal', 'thaw', 'arm-grace-timer'],
    told: ['kill', 'unpause'],
  },
  { from: restarting, on: stop(), to: 'exited', effects: ['disarm-timers'] },
  { from: neverRan, on: kill(), refused: 'conflict' },
  { from: exited, on: kill(), refused: 'conflict' },
  { from: running, on: kill(), to: 'running', effects: ['send-signal'], told: ['kill'] },
  { from: paused, on: kill(), to: 'running', effects: ['send-signal', 'thaw'], told: ['kill'] },
  {
    from: paused,
    on: kill(1),
    under: { ...rules, stopSignal: 2 },
    to: 'running',
    effects: ['send-signal'],
    told: ['kill'],
  },
  { from: restarting, on: kill(1), to: 'exited', effects: ['disarm-timers'] },
  { from: running, on: { type: 'grace-expired' }, to: 'running', effects: [] },
  {
    from: { ...running, killAt: at },
    on: { type: 'grace-expired' },
    to: 'running',
    effects: ['send-signal'],
    told: ['kill'],
  },
  {
    from: { ...running, killAt: at, killedAfterGrace: true },
    on: { type: 'grace-expired' },
    to: 'running',
    effects: [],
  },
  { from: running, on: { type: 'out-of-memory' }, to: 'running', effects: [], told: ['oom'] },
  { from: restarting, on: { type: 'out-of-memory' }, to: 'restarting', effects: [] },
  { from: running, on: exit(0), to: 'exited', effects: ['disarm-timers', 'clean-up-run'], told: ['die'] },
  {
    from: running,
    on: exit(1),
    under: always,
    to: 'restarting',
    effects: ['disarm-timers', 'clean-up-run', 'arm-restart-timer'],
    told: ['die'],
  },
  {
    from: running,
    on: exit(0),
    under: { ...rules, autoRemove: true },
    to: 'exited',
    effects: ['disarm-timers', 'clean-up-run', 'auto-remove'],
    told: ['die'],
  },
  {
    from: { ...running, keep: true },
    on: exit(0),
    under: { ...rules, autoRemove: true },
    to: 'exited',
    effects: ['disarm-timers', 'clean-up-run'],
    told: ['die'],
  },
  { from: exited, on: exit(9), to: 'exited', effects: [], told: [] },
  { from: running, on: { type: 'pause-requested' }, to: 'running', effects: ['freeze'], told: ['pause'] },
  { from: paused, on: { type: 'pause-requested' }, refused: 'conflict' },
  { from: exited, on: { type: 'pause-requested' }, refused: 'conflict' },
  { from: paused, on: { type: 'unpause-requested' }, to: 'running', effects: ['thaw'], told: ['unpause'] },
  { from: running, on: { type: 'unpause-requested' }, refused: 'internal' },
  { from: running, on: { type: 'remove-requested' }, refused: 'conflict' },
  { from: paused, on: { type: 'remove-requested' }, refused: 'conflict' },
  { from: restarting, on: { type: 'remove-requested' }, refused: 'conflict' },
  {
    ...{ from: removing, on: { type: 'remove-requested' }, refused: 'conflict' },
    words: `removal of container ${id} is already in progress`,
  },
  { from: neverRan, on: { type: 'remove-requested' }, to: 'removing', effects: ['remove-remains'] },
  { from: exited, on: { type: 'remove-requested' }, to: 'removing', effects: ['remove-remains'] },
  { from: dead, on: { type: 'remove-requested' }, to: 'removing', effects: ['remove-remains'] },
  { from: removing, on: { type: 'remove-failed', message: 'disk full' }, to: 'dead' },
  { from: restarting, on: { type: 'restart-due' }, to: 'starting', effects: ['launch'] },
  { from: exited, on: { type: 'restart-due' }, to: 'exited', effects: [] },
];

describe('transition', () => {
  for (const { from, on, under, to, refused, words, effects, told } of cases) {
    const label = 'paused' in from && from.paused ? 'paused' : from.status;
    it(`${label}, ${on.type}${under === undefined ? '' : ' with rules'} → ${to ?? refused}`, () => {
      const next = transition(from, on, under ?? rules);
      if (!next.ok) {
        if (words !== undefined) assert.equal(next.reason, words);
        return assert.equal(next.kind, refused);
      }
      assert.equal(next.state.status, to);
      if (effects !== undefined)
        assert.deepEqual(
          next.effects.map(({ effect }) => effect),
          effects,
        );
      if (told !== undefined)
        assert.deepEqual(
          next.announcements.map(({ action }) => action),
          told,
        );
    });
  }

  it('keeps the shorter grace of two stops, whichever comes first', () => {
    for (const [first, second] of [
      [1_000, 30_000],
      [30_000, 1_000],
    ] as const) {
      const one = transition(running, stop(first), rules);
      assert.ok(one.ok);
      const two = transition(one.state, stop(second), rules);
      assert.ok(two.ok && two.state.status === 'running');
      assert.deepEqual(two.state.killAt, later(1_000));
    }
  });

  it('does not restart what a signal through the API ended', () => {
    const stopped = transition(running, stop(), always);
    assert.ok(stopped.ok);
    const over = transition(stopped.state, exit(143), always);
    assert.ok(over.ok);
    assert.equal(over.state.status, 'exited');
  });

  it('restarts with doubling pauses up to a minute, from the start again after a long run', () => {
    const delays: number[] = [];
    let state: ContainerState = running;
    for (let round = 0; round < 12; round += 1) {
      const over = transition(state, exit(1, 10), always);
      assert.ok(over.ok && over.state.status === 'restarting');
      delays.push(over.state.delayMs);
      const due = transition(over.state, { type: 'restart-due' }, always);
      assert.ok(due.ok);
      const up = transition(due.state, { type: 'launched', created, endpoint: null, at }, always);
      assert.ok(up.ok);
      state = up.state;
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
    const rested = transition(state, exit(1, 10_000), always);
    assert.ok(rested.ok && rested.state.status === 'restarting');
    assert.equal(rested.state.delayMs, 100);
  });
});

const anyEvent: fc.Arbitrary<ContainerEvent> = fc.oneof(
  fc.constantFrom<ContainerEvent>(
    { type: 'start-requested' },
    { type: 'launched', created, endpoint: null, at },
    { type: 'launch-failed', failure: { exitCode: 127, message: 'not found' } },
    { type: 'grace-expired' },
    { type: 'out-of-memory' },
    { type: 'pause-requested' },
    { type: 'unpause-requested' },
    { type: 'freeze-failed' },
    { type: 'restart-due' },
    { type: 'remove-requested' },
  ),
  fc.constantFrom('stop' as const, 'restart' as const, 'kill' as const).chain((purpose) =>
    fc.record({
      type: fc.constant('signal-requested' as const),
      purpose: fc.constant(purpose),
      signal: fc.constantFrom(1, 2, 9, 15),
      graceMs: fc.constantFrom(0, 1_000, Infinity),
      at: fc.constant(at),
    }),
  ),
  fc.nat(255).map((code) => exit(code)),
);

describe('any history of a container', () => {
  it('signals only what runs, cleans up once per run, and sends the grace SIGKILL at most once per run', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), fc.boolean(), fc.boolean(), (events, restarts, autoRemove) => {
        const under: ContainerRules = { ...(restarts ? always : rules), autoRemove: autoRemove && !restarts };
        let state: ContainerState = neverRan;
        let runs = 0;
        let cleanUps = 0;
        let graceKills = 0;
        for (const event of events) {
          const before: ContainerState = state;
          const next = transition(before, event, under);
          if (!next.ok) continue;
          state = next.state;
          if (before.status === 'starting' && state.status === 'running') {
            runs += 1;
            graceKills = 0;
          }
          for (const { effect } of next.effects) {
            if (effect === 'send-signal' || effect === 'freeze') assert.equal(before.status, 'running');
            if (effect === 'clean-up-run') cleanUps += 1;
            if (effect === 'send-signal' && event.type === 'grace-expired') graceKills += 1;
          }
          assert.ok(graceKills <= 1);
          assert.equal(cleanUps, runs - (state.status === 'running' ? 1 : 0));
        }
      }),
    );
  });
});
