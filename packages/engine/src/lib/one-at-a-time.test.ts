import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OneAtATime } from './one-at-a-time.ts';

describe('OneAtATime', () => {
  it('refuses others until the work is done, however it ends', async () => {
    const one = new OneAtATime(() => new Error('busy'));
    const work = Promise.withResolvers<string>();
    const first = one.run(() => work.promise);
    await assert.rejects(
      one.run(async () => 'second'),
      /busy/,
    );
    work.reject(new Error('failed'));
    await assert.rejects(first, /failed/);
    assert.equal(await one.run(async () => 'third'), 'third');
  });
});
