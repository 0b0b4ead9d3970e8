import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { FleetCommand } from '@fairlead/protocol/fleet';
import type { ContainerBefore, JournalEntry, StartEvidence, Step } from '../journal/record.ts';
import { type ContainerNow, decide, type Decision, type EngineTruth } from './decide.ts';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-01T00:01:00Z';
const NEVER = '0001-01-01T00:00:00Z';

const ran: ContainerBefore = { id: 'c1', name: 'web', running: true, paused: false, startedAt: T0 };
const stood: ContainerBefore = { ...ran, running: false };
const fresh: ContainerBefore = { ...stood, startedAt: NEVER };
const runs: ContainerNow = { id: 'c1', name: 'web', running: true, paused: false, startedAt: T0, exitCode: 0 };
const runsAnew: ContainerNow = { ...runs, startedAt: T1 };
const exited: ContainerNow = { ...runs, running: false, exitCode: 3 };
const killed: ContainerNow = { ...exited, exitCode: 137 };
const exitedAnew: ContainerNow = { ...exited, startedAt: T1 };
const made: ContainerNow = { ...exited, startedAt: NEVER, exitCode: 0 };

function entryOf(
  command: FleetCommand,
  container: ContainerBefore | undefined,
  steps: readonly Step[] = [],
): JournalEntry {
  const startedAt = { bootId: 'b', ms: 0 };
  const evidence: StartEvidence = { container, graceMs: null, boundMs: 1, startedAt };
  return {
    operationId: 'op_1',
    message: { operationId: 'op_1', command, actor: { name: 'a', role: 'admin' }, mode: 'live' },
    receivedAt: startedAt,
    isClaimed: true,
    evidence,
    steps,
    events: [],
    ackedSeq: 0,
  };
}

function decided(entry: JournalEntry, truth: EngineTruth): Decision {
  assert.ok(entry.evidence !== undefined);
  return decide(entry, entry.evidence, truth);
}

/** `SUCCEEDED changed killed 137`, `FAILED LOST`, `look-again`, … */
function wordOf(decision: Decision): string {
  if (decision.next !== 'tell') return decision.next;
  const { state, outcome } = decision;
  const words = [
    state,
    outcome.failure?.code,
    outcome.changed === false ? 'unchanged' : undefined,
    outcome.stop,
    outcome.exitCode,
  ];
  return words.filter((word) => word !== undefined).join(' ');
}

const start: FleetCommand = { verb: 'start', container: 'web' };
const stop: FleetCommand = { verb: 'stop', container: 'web' };
const restart: FleetCommand = { verb: 'restart', container: 'web' };
const kill: FleetCommand = { verb: 'kill', container: 'web' };
const hup: FleetCommand = { verb: 'kill', container: 'web', signal: 'HUP' };
const remove: FleetCommand = { verb: 'remove', container: 'web' };
const pause: FleetCommand = { verb: 'pause', container: 'web' };
const unpause: FleetCommand = { verb: 'unpause', container: 'web' };
const rename: FleetCommand = { verb: 'rename', container: 'web', name: 'app' };
const create: FleetCommand = { verb: 'create', body: {} };
const createStart: FleetCommand = { verb: 'create', body: {}, start: true };
const exec: FleetCommand = { verb: 'exec', container: 'web', argv: ['true'] };
const createdStep: Step = { step: 'created', containerId: 'c1' };
const startStep: Step = { step: 'start' };
const execStep: Step = { step: 'exec', execId: 'e1' };

interface Case {
  readonly command: FleetCommand;
  readonly before?: ContainerBefore;
  readonly steps?: readonly Step[];
  readonly now?: ContainerNow;
  readonly exec?: EngineTruth['exec'];
  /** While the engine may still be at it. */
  readonly early: string;
  /** When its time is over. */
  readonly late: string;
}

const cases: readonly Case[] = [
  { command: start, before: stood, now: runsAnew, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: start, before: stood, now: exitedAnew, early: 'SUCCEEDED 3', late: 'SUCCEEDED 3' },
  { command: start, before: stood, now: exited, early: 'look-again', late: 'FAILED LOST' },
  { command: start, before: fresh, now: made, early: 'look-again', late: 'FAILED LOST' },
  { command: start, before: stood, early: 'UNKNOWN LOST', late: 'UNKNOWN LOST' },
  { command: stop, before: ran, now: exited, early: 'SUCCEEDED exited 3', late: 'SUCCEEDED exited 3' },
  { command: stop, before: ran, now: killed, early: 'SUCCEEDED killed 137', late: 'SUCCEEDED killed 137' },
  {
    command: stop,
    before: stood,
    now: exited,
    early: 'SUCCEEDED unchanged already-stopped 3',
    late: 'SUCCEEDED unchanged already-stopped 3',
  },
  { command: stop, before: ran, now: runs, early: 'look-again', late: 'FAILED LOST' },
  { command: stop, before: ran, now: runsAnew, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: stop, before: ran, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: restart, before: ran, now: runsAnew, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: restart, before: ran, now: runs, early: 'look-again', late: 'FAILED LOST' },
  { command: restart, before: ran, now: killed, early: 'look-again', late: 'FAILED LOST' },
  { command: restart, before: ran, early: 'UNKNOWN LOST', late: 'UNKNOWN LOST' },
  { command: kill, before: ran, now: killed, early: 'SUCCEEDED 137', late: 'SUCCEEDED 137' },
  { command: kill, before: ran, now: runsAnew, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: kill, before: ran, now: runs, early: 'look-again', late: 'FAILED LOST' },
  { command: kill, before: ran, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: hup, before: ran, now: runs, early: 'look-again', late: 'UNKNOWN LOST' },
  { command: hup, before: ran, now: exited, early: 'SUCCEEDED 3', late: 'SUCCEEDED 3' },
  { command: hup, before: ran, early: 'UNKNOWN LOST', late: 'UNKNOWN LOST' },
  { command: remove, before: ran, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: remove, before: ran, now: exited, early: 'look-again', late: 'FAILED LOST' },
  { command: pause, before: ran, now: { ...runs, paused: true }, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: pause, before: ran, now: runs, early: 'look-again', late: 'FAILED LOST' },
  { command: unpause, before: { ...ran, paused: true }, now: runs, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: unpause, before: ran, now: { ...runs, paused: true }, early: 'look-again', late: 'FAILED LOST' },
  { command: rename, before: ran, now: { ...runs, name: 'app' }, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: rename, before: ran, now: runs, early: 'look-again', late: 'FAILED LOST' },
  { command: create, now: made, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: create, early: 'look-again', late: 'FAILED LOST' },
  { command: create, steps: [createdStep], early: 'UNKNOWN LOST', late: 'UNKNOWN LOST' },
  { command: createStart, now: made, early: 'start', late: 'start' },
  { command: createStart, steps: [createdStep], now: made, early: 'start', late: 'start' },
  { command: createStart, steps: [createdStep, startStep], now: made, early: 'look-again', late: 'FAILED LOST' },
  { command: createStart, steps: [createdStep, startStep], now: runs, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: createStart, steps: [createdStep, startStep], now: exited, early: 'SUCCEEDED', late: 'SUCCEEDED' },
  { command: exec, before: ran, now: runs, early: 'FAILED LOST', late: 'FAILED LOST' },
  {
    command: exec,
    before: ran,
    steps: [execStep],
    exec: { running: true, exitCode: null },
    early: 'look-again',
    late: 'look-again',
  },
  {
    command: exec,
    before: ran,
    steps: [execStep],
    exec: { running: false, exitCode: 4 },
    early: 'SUCCEEDED 4',
    late: 'SUCCEEDED 4',
  },
  {
    command: exec,
    before: ran,
    steps: [execStep],
    exec: { running: false, exitCode: null },
    early: 'look-again',
    late: 'FAILED LOST',
  },
  { command: exec, before: ran, steps: [execStep], early: 'UNKNOWN LOST', late: 'UNKNOWN LOST' },
  { command: { verb: 'pull', image: 'busybox' }, early: 'ask-again', late: 'ask-again' },
  { command: { verb: 'noop' }, early: 'ask-again', late: 'ask-again' },
];

describe('decide', () => {
  for (const { command, before, steps = [], now, exec: seen, early, late } of cases) {
    const was = before === undefined ? '' : `, ${before.running ? 'ran' : 'stood'} before`;
    const is =
      now === undefined ? 'gone' : `${now.running ? 'runs' : 'stands'} ${now.startedAt.slice(0, 16)} ${now.exitCode}`;
    const step = steps.map((one) => one.step).join('+');
    it(`${command.verb} ${step}${was}, ${is}: ${early}, then ${late}`, () => {
      const entry = entryOf(command, before, steps);
      const truth = { container: now, ...(seen === undefined ? {} : { exec: seen }) };
      assert.equal(wordOf(decided(entry, { ...truth, mayStillBeAtIt: true })), early);
      assert.equal(wordOf(decided(entry, { ...truth, mayStillBeAtIt: false })), late);
    });
  }

  const anyCommand = fc.constantFrom(...new Set(cases.map(({ command }) => command)));
  const anyNow = fc.option(
    fc.record({
      id: fc.constant('c1'),
      name: fc.constantFrom('web', 'app'),
      running: fc.boolean(),
      paused: fc.boolean(),
      startedAt: fc.constantFrom(NEVER, T0, T1),
      exitCode: fc.constantFrom(0, 3, 137),
    }),
    { nil: undefined },
  );
  const anySteps = fc.subarray([createdStep, startStep, execStep]);

  it('never asks for a program, a stop or a second start again, whatever is seen', () => {
    const scene = fc.record({
      command: anyCommand,
      before: fc.constantFrom(ran, stood, fresh),
      steps: anySteps,
      now: anyNow,
      mayStillBeAtIt: fc.boolean(),
    });
    fc.assert(
      fc.property(scene, ({ command, before, steps, now, mayStillBeAtIt }) => {
        const { next } = decided(entryOf(command, before, steps), { container: now, mayStillBeAtIt });
        if (next === 'ask-again') assert.ok(command.verb === 'pull' || command.verb === 'noop');
        if (next === 'start')
          assert.ok(command.verb === 'create' && !steps.includes(startStep) && now?.running === false);
      }),
    );
  });

  it('tells an end once the engine’s time is over, except of a program that runs', () => {
    fc.assert(
      fc.property(anyCommand, anySteps, anyNow, (...[command, steps, now]) => {
        const decision = decided(entryOf(command, ran, steps), { container: now, mayStillBeAtIt: false });
        assert.notEqual(decision.next, 'look-again');
      }),
    );
  });
});
