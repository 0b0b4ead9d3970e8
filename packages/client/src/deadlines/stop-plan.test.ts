import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DeadlineTooShortError } from '../errors.ts';
import { HOP_RESERVE_MS, waitForBoundMs } from '@fairlead/protocol';
import { planStop } from './stop-plan.ts';

const K = 14_000;

describe('planStop', () => {
  it('sends nothing when nothing was said', () => assert.deepEqual(planStop('web', {}, K), { graceMs: undefined }));
  it('sends the grace that was said', () => assert.deepEqual(planStop('web', { graceMs: 300 }, K), { graceMs: 300 }));
  it('derives the grace from the total', () =>
    assert.deepEqual(planStop('web', { withinMs: 30_000 }, K), { graceMs: 14_000 }));

  it('refuses a total that leaves no grace, with the sum and two ways out', () => {
    assert.throws(
      () => planStop('web', { withinMs: 10_000 }, K),
      (error: Error) => {
        assert.ok(error instanceof DeadlineTooShortError);
        assert.match(
          error.message,
          /14 s for a kill to be confirmed and 1\.3 s of reserve make 15\.3 s\. Nothing was sent/,
        );
        assert.match(error.message, /at least 16 s\n {2}or kill it/);
        return true;
      },
    );
  });

  it('refuses a grace that does not fit into the total', () => {
    assert.throws(
      () => planStop('web', { withinMs: 20_000, graceMs: 20_000 }, K),
      /make 35\.7 s.*\n.*36 s\n.*at most 4 s/s,
    );
  });

  it('always nests: the engine’s bound and the reserve end before the caller’s total', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), fc.integer({ min: 0, max: 60_000 }), (withinMs, confirmMs) => {
        try {
          const { graceMs = 0 } = planStop('x', { withinMs }, confirmMs);
          const boundMs = graceMs + confirmMs;
          assert.ok(waitForBoundMs(boundMs) <= withinMs + 1);
          assert.ok(withinMs - boundMs >= HOP_RESERVE_MS);
        } catch (error) {
          if (!(error instanceof DeadlineTooShortError)) throw error;
        }
      }),
    );
  });
});
