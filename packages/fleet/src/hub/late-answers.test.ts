import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HostId, hostId, hostSubjects } from '@fairlead/protocol/fleet';
import { Outbox } from '../lib/outbox.ts';
import { LateAnswers } from './late-answers.ts';

const [one, two] = [hostId(`h${'a'.repeat(26)}`), hostId(`h${'b'.repeat(26)}`)];

describe('LateAnswers', () => {
  it('go along with what is said to their host, each once and in order', () => {
    using late = new LateAnswers(
      new Outbox({ publish: () => assert.fail('nothing is sent by itself') }, assert.ifError),
    );
    late.add(one, { operationId: 'op_1', stored: 4 });
    late.add(two, { operationId: 'op_2', stored: 4 });
    late.add(one, { operationId: 'op_3', stored: 5 });
    const taken = late.take(one);
    assert.deepEqual(taken, [
      { operationId: 'op_1', stored: 4 },
      { operationId: 'op_3', stored: 5 },
    ]);
    assert.equal(late.take(one), undefined);
  });

  it('are sent by themselves within a second, and at once when many wait: one message for each host', async () => {
    const said: { readonly subject: string; readonly count: number }[] = [];
    const publish = (subject: string, payload: string): void =>
      void said.push({ subject, count: (JSON.parse(payload) as unknown[]).length });
    using late = new LateAnswers(new Outbox({ publish }, assert.ifError));
    late.add(two, { operationId: 'op_x', stored: 1 });
    for (let at = 1; at <= 64; at += 1) late.add(one, { operationId: `op_${at}`, stored: 1 });
    await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual(said, [{ subject: storedOf(one), count: 64 }]);
    const startedAt = performance.now();
    while (said.length < 2) await sleep(20);
    assert.deepEqual(said.at(-1), { subject: storedOf(two), count: 1 });
    // The agent tells again after four seconds.
    assert.ok(performance.now() - startedAt < 4_000);
  });
});

function storedOf(host: HostId): string {
  return hostSubjects(host).rpc('stored');
}
