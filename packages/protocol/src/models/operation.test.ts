import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { operationSchema, type Operation } from './operation.ts';

const running: Operation = {
  Id: '7',
  Verb: 'stop',
  Target: { Type: 'container', Id: 'a'.repeat(64), Name: 'web' },
  Caller: { UserAgent: 'Go-http-client/1.1', Pid: 12, Uid: 0, Gid: 0 },
  StartedAt: '2026-11-22T04:44:11.388Z',
  BoundMs: 34_000,
  GraceMs: 20_000,
  Phase: 'grace',
  Phases: [
    { Phase: 'accepted', AtMs: 0 },
    { Phase: 'signal', AtMs: 1 },
    { Phase: 'grace', AtMs: 2 },
  ],
  Outcome: null,
  CallerLeftAtMs: null,
};

describe('operationSchema', () => {
  it('reads an operation back as it was stored', () => {
    const done: Operation = {
      ...running,
      BudgetMs: 20_000,
      Phase: 'done',
      Outcome: { Result: 'succeeded', Detail: 'killed', ExitCode: 137, TookMs: 20_100 },
      CallerLeftAtMs: 20_000,
    };
    for (const operation of [running, done, { ...running, BoundMs: null, GraceMs: null }]) {
      assert.deepEqual(v.parse(operationSchema, JSON.parse(JSON.stringify(operation))), operation);
    }
  });

  it('refuses what is none', () => {
    for (const broken of [
      {},
      { ...running, Verb: 'dance' },
      { ...running, Phase: 'limbo' },
      { ...running, BoundMs: -1 },
    ]) {
      assert.equal(v.safeParse(operationSchema, broken).success, false);
    }
  });
});
