import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUDGET_MS_MAX, encodeBudget, encodeOutcome, parseBudget, parseOutcome } from './headers.ts';

describe('Fairlead-Budget', () => {
  it('is a whole number of milliseconds, and absent when there is no end', () => {
    assert.deepEqual([encodeBudget(20_000.9), encodeBudget(-5), encodeBudget(Infinity)], ['20000', '0', undefined]);
    assert.equal(parseBudget('20000'), 20_000);
  });

  it('is ignored when it cannot be read, because a hint breaks no request', () => {
    for (const value of [undefined, '', '-1', '1.5', '2s', '1'.repeat(16)]) assert.equal(parseBudget(value), undefined);
    assert.equal(parseBudget('999999999999999'), BUDGET_MS_MAX);
  });
});

describe('Fairlead-Outcome', () => {
  it('is read back as it was written', () => {
    for (const outcome of ['exited', 'killed', 'already-stopped'] as const) {
      for (const exitCode of [0, 137, undefined]) {
        const evidence = { outcome, exitCode, tookMs: 2012 };
        assert.deepEqual(parseOutcome(encodeOutcome(evidence)), evidence);
      }
    }
    assert.equal(
      encodeOutcome({ outcome: 'killed', exitCode: 137, tookMs: 2011.7 }),
      'killed; exit-code=137; took-ms=2012',
    );
  });

  it('is nothing when it says something else', () => {
    for (const value of [undefined, '', 'killed', 'vanished; took-ms=1', 'killed; exit-code=x; took-ms=1']) {
      assert.equal(parseOutcome(value), undefined);
    }
  });
});
