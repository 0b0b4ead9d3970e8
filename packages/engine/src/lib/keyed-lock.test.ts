import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { KeyedLock } from './keyed-lock.ts';

describe('KeyedLock', () => {
  it('runs work of one key in order, also after a failure, and work of another meanwhile', async () => {
    const lock = new KeyedLock();
    const steps: string[] = [];
    const work =
      (name: string, failing = false) =>
      async (): Promise<void> => {
        steps.push(`begin ${name}`);
        await turn();
        steps.push(`end ${name}`);
        if (failing) throw new Error(name);
      };
    const failed = lock.run('k', work('one', true));
    const after = lock.run('k', work('two'));
    const beside = lock.run('other', work('three'));
    await assert.rejects(failed, /one/);
    await Promise.all([after, beside]);
    assert.deepEqual(
      steps.filter((step) => !step.includes('three')),
      ['begin one', 'end one', 'begin two', 'end two'],
    );
    assert.ok(steps.indexOf('begin three') < steps.indexOf('end one'));
  });

  it('gives back what the work gives', async () => {
    assert.equal(await new KeyedLock().run('k', async () => 3), 3);
  });
});
