import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DeadlineTooShortError } from '../errors.ts';
import { HOP_RESERVE_MS, waitForBoundMs } from '@fairlead/protocol';
import { planGrace, type StopTimes } from './stop-plan.ts';

const K = 14_000;

function planStop(times: StopTimes, killConfirmMs = K): number | undefined {
  return planGrace({ operation: 'stop web', parts: [{ what: 'a kill to be confirmed', ms: killConfirmMs }] }, times);
}

describe('planGrace', () => {
  it('sends nothing when nothing was said', () => assert.equal(planStop({}), undefined));
  it('sends the grace that was said', () => assert.equal(planStop({ graceMs: 300 }), 300));
  it('derives the grace from the total', () => assert.equal(planStop({ withinMs: 30_000 }), 14_000));

  it('refuses a total that leaves no grace, with the sum and two ways out', () => {
    assert.throws(
      () => planStop({ withinMs: 10_000 }),
      (error: Error) => {
        assert.ok(error instanceof DeadlineTooShortError);
        assert.match(
          error.message,
          /^"stop web" cannot be sure to end within 10 s: 0 s of grace, 14 s for a kill to be confirmed and 1\.3 s of reserve make 15\.3 s\. Nothing was sent/,
        );
        assert.match(error.message, /at least 16 s\n {2}or kill it/);
        return true;
      },
    );
  });

  it('refuses a grace that does not fit into the total', () => {
    assert.throws(() => planStop({ withinMs: 20_000, graceMs: 20_000 }), /make 35\.7 s.*\n.*36 s\n.*at most 4 s/s);
  });

  it('counts the start of a restart, too', () => {
    const parts = [
      { what: 'a kill to be confirmed', ms: K },
      { what: 'the start', ms: 120_000 },
    ];
    assert.equal(planGrace({ operation: 'restart web', parts }, { withinMs: 150_000 }), 12_000);
    assert.throws(
      () => planGrace({ operation: 'restart web', parts }, { withinMs: 60_000 }),
      /14 s for a kill to be confirmed, 120 s for the start and 3\.8 s of reserve make 137\.8 s/,
    );
  });

  it('always nests: the engine’s bound and the reserve end before the caller’s total', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), fc.integer({ min: 0, max: 60_000 }), (withinMs, confirmMs) => {
        try {
          const graceMs = planStop({ withinMs }, confirmMs) ?? 0;
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
