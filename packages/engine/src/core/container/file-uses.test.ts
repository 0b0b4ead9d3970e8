import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import { FileUses } from './file-uses.ts';

const [one, other] = [containerId('a'.repeat(64)), containerId('b'.repeat(64))];

describe('FileUses', () => {
  it('ends the uses of one container, and waits for each of them', async () => {
    const uses = new FileUses();
    const [first, second, foreign] = [uses.begin(one), uses.begin(one), uses.begin(other)];
    let ended = false;
    const ending = uses.end(one).then(() => {
      ended = true;
    });
    assert.deepEqual([first.signal.aborted, second.signal.aborted, foreign.signal.aborted], [true, true, false]);
    assert.match(String(first.signal.reason), /container a+ is being removed/);
    first[Symbol.dispose]();
    await new Promise(setImmediate);
    assert.equal(ended, false);
    second[Symbol.dispose]();
    await ending;
  });

  it('has nothing to end once they are over', async () => {
    const uses = new FileUses();
    uses.begin(one)[Symbol.dispose]();
    await uses.end(one);
    await uses.end(other);
  });
});
