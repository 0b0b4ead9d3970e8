import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Operation } from '@fairlead/protocol';
import { operationRow } from './operation-row.ts';

const stop: Operation = {
  Id: '1',
  Verb: 'stop',
  Target: { Type: 'container', Id: 'ab'.repeat(32), Name: 'web' },
  Caller: { UserAgent: 'Go-http-client/1.1', Pid: 7 },
  StartedAt: '2026-01-01T00:00:00Z',
  BoundMs: 34_000,
  GraceMs: 20_000,
  Phase: 'done',
  Phases: [
    { Phase: 'signal', AtMs: 0 },
    { Phase: 'kill', AtMs: 20_003 },
    { Phase: 'done', AtMs: 20_040 },
  ],
  Outcome: { Result: 'succeeded', Detail: 'killed', ExitCode: 137, TookMs: 20_040 },
  CallerLeftAtMs: 20_001,
};

describe('operationRow', () => {
  const cases: readonly { operation: Operation; row: string }[] = [
    {
      operation: stop,
      row: 'stop web|asked by Go-http-client/1.1|grace 20.0 s  caller hung up at 20.0 s  killed at 20.0 s  exit 137  took 20.0 s',
    },
    {
      operation: { ...stop, Outcome: null, Phase: 'grace', Phases: [], CallerLeftAtMs: null },
      row: 'stop web|asked by Go-http-client/1.1|grace 20.0 s  running (grace)  ends at the latest at 34.0 s',
    },
    {
      operation: {
        ...stop,
        GraceMs: null,
        Phases: [],
        CallerLeftAtMs: null,
        Outcome: { Result: 'not-modified', TookMs: 1 },
      },
      row: 'stop web|asked by Go-http-client/1.1|grace without end  nothing to do  took 0.0 s',
    },
    {
      operation: {
        ...stop,
        Verb: 'image-remove',
        Target: { Type: 'image', Id: `sha256:${'c'.repeat(64)}`, Name: '' },
        Caller: { UserAgent: '', Address: '10.0.0.1:5' },
        GraceMs: undefined,
        Phases: [],
        CallerLeftAtMs: null,
        Outcome: { Result: 'failed', Error: 'in use', TookMs: 100 },
      },
      row: 'image-remove cccccccccccc|asked by 10.0.0.1:5|failed: in use  took 0.1 s',
    },
  ];
  for (const { operation, row } of cases) it(row, () => assert.equal(operationRow(operation).join('|'), row));
});
