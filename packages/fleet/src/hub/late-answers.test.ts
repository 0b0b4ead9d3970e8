import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostId } from '@fairlead/protocol/fleet';
import { Outbox } from '../lib/outbox.ts';
import { LateAnswers } from './late-answers.ts';

const [one, two] = [hostId(`h${'a'.repeat(26)}`), hostId(`h${'b'.repeat(26)}`)];

describe('LateAnswers', () => {
  it('go along with the next word to their host, in order and ahead of it', async () => {
    const said: string[] = [];
    const outbox = new Outbox({ publish: (subject) => void said.push(subject) }, assert.ifError);
    using late = new LateAnswers(outbox);
    late.add(one, 'one.1', {});
    late.add(two, 'two.1', {});
    late.add(one, 'one.2', {});
    late.send(one);
    outbox.send('command', {});
    await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual(said, ['one.1', 'one.2', 'command']);
  });

  it('are sent by themselves within a second, and at once when many wait', async () => {
    const said: string[] = [];
    using late = new LateAnswers(new Outbox({ publish: (subject) => void said.push(subject) }, assert.ifError));
    late.add(two, 'two.1', {});
    for (let at = 1; at <= 64; at += 1) late.add(one, `one.${at}`, {});
    await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual([said.length, said.at(-1)], [64, 'one.64']);
    const startedAt = performance.now();
    while (said.length < 65) await sleep(20);
    assert.equal(said.at(-1), 'two.1');
    // The agent asks again after four seconds.
    assert.ok(performance.now() - startedAt < 4_000);
  });
});
