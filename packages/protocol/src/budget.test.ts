import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { boundMs, Budget, DOCKER_ALLOWANCES, HOP_RESERVE_MS, hopReserveMs, waitForBoundMs } from './budget.ts';

describe('Budget', () => {
  it('runs out on the clock it was made with', () => {
    const budget = Budget.of(5000, 100);
    assert.deepEqual(
      [100, 2100, 5100, 9000].map((now) => budget.leftMs(now)),
      [5000, 3000, 0, 0],
    );
  });

  it('is strictly longer than every wait inside it, over any chain of hops', () => {
    const hop = fc.record({
      spentMs: fc.integer({ min: 0, max: 3000 }),
      reserveMs: fc.option(fc.integer({ min: -10, max: 5000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.array(hop), (totalMs, hops) => {
        let budget = Budget.of(totalMs, 0);
        let now = 0;
        for (const { spentMs, reserveMs } of hops) {
          now += spentMs;
          const outer = budget.leftMs(now);
          try {
            budget = budget.child(reserveMs === undefined ? { nowMs: now } : { nowMs: now, reserveMs });
          } catch {
            assert.ok((reserveMs ?? hopReserveMs(outer)) <= 0 || outer <= (reserveMs ?? hopReserveMs(outer)));
            return;
          }
          const inner = budget.leftMs(now);
          assert.ok(inner > 0 && inner < outer);
          if (reserveMs === undefined) assert.ok(outer - inner >= HOP_RESERVE_MS + outer * 0.02 - 1e-6);
        }
      }),
    );
  });

  it('refuses a reserve of nothing, and to be used up by one', () => {
    const budget = Budget.of(2000, 0);
    assert.throws(() => budget.child({ nowMs: 0, reserveMs: 0 }), { kind: 'invalid-argument' });
    assert.throws(() => budget.child({ nowMs: 0, reserveMs: 2000 }), /2000 ms are left and 2000 ms are kept/);
    assert.throws(() => Budget.of(0, 0));
    assert.throws(() => Budget.of(Number.NaN, 0));
  });

  it('of two, the shorter one ends first', () => {
    const [long, short] = [Budget.of(500, 0), Budget.of(100, 0)];
    assert.deepEqual(
      [long.shorter(short), short.shorter(long), short.shorter(Budget.endless())],
      [short, short, short],
    );
  });

  it('without end has children without end', () => {
    assert.equal(Budget.endless().child({ nowMs: 5 }).leftMs(1e15), Infinity);
  });

  it('for a bound leaves at least that bound inside, over any number of hops', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 0, max: 5 }), (innerMs, hops) => {
        let budget = Budget.of(waitForBoundMs(innerMs, hops), 0);
        for (let hop = 0; hop < hops; hop += 1) budget = budget.child({ nowMs: 0 });
        assert.ok(budget.leftMs(0) >= innerMs - 1e-6);
      }),
    );
    assert.equal(waitForBoundMs(Infinity), Infinity);
  });
});

describe('boundMs', () => {
  it('is the worst case that Docker has', () => {
    assert.equal(boundMs('stop', { ...DOCKER_ALLOWANCES, graceMs: 20_000 }), 34_000);
    assert.equal(boundMs('kill', DOCKER_ALLOWANCES), 14_000);
    assert.equal(boundMs('restart', DOCKER_ALLOWANCES), 10_000 + 14_000 + 120_000);
    assert.equal(boundMs('stop', { ...DOCKER_ALLOWANCES, graceMs: Infinity }), Infinity);
    assert.equal(boundMs('image-load', DOCKER_ALLOWANCES), Infinity);
  });
});
