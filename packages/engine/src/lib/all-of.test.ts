import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allOf } from './all-of.ts';

describe('allOf', () => {
  it('gives all results in their places', async () => {
    const results: readonly [number, string] = await allOf([Promise.resolve(1), Promise.resolve('two')]);
    assert.deepEqual(results, [1, 'two']);
  });

  it('fails with the first in the order given, when the last has come to its end', async () => {
    const late = Promise.withResolvers<void>();
    let isOver = false;
    const work = allOf([late.promise, Promise.reject(new Error('second'))]).finally(() => (isOver = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isOver, false);
    late.reject(new Error('first'));
    await assert.rejects(work, { message: 'first' });
  });
});
