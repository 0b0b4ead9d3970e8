import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostId } from './host-id.ts';
import { agentPermissions, hostSubjects } from './subjects.ts';

const host = hostId(`h${'a'.repeat(26)}`);
const other = hostId(`h${'b'.repeat(26)}`);

describe('agentPermissions', () => {
  const { publish, subscribe } = agentPermissions(host);
  const own = hostSubjects(host);

  it('lets an agent say everything that is its own', () => {
    const said = [
      own.claim,
      own.operationEvent('op_1'),
      own.hello,
      own.answer('t'),
      own.heartbeat,
      own.inventory,
      own.sessionOutput('s'),
    ];
    for (const subject of said) assert.ok(allowed(publish, subject), subject);
    for (const subject of [
      own.rpc('command'),
      own.sessionInput('s'),
      own.sessionControl('s'),
      `${own.inboxPrefix}.x`,
    ]) {
      assert.ok(allowed(subscribe, subject), subject);
    }
  });

  it('lets it neither speak nor listen for another host, nor command itself', () => {
    const foreign = hostSubjects(other);
    for (const subject of [
      foreign.claim,
      foreign.hello,
      foreign.answer('t'),
      '_INBOX.hub',
      foreign.sessionOutput('s'),
      own.command,
      own.rpc('command'),
    ]) {
      assert.ok(!allowed(publish, subject), subject);
    }
    for (const subject of [foreign.rpc('command'), foreign.sessionInput('s'), 'f.>', '_INBOX.>', foreign.command]) {
      assert.ok(!allowed(subscribe, subject), subject);
    }
  });
});

/** NATS's matching: `*` is one token, `>` the rest. */
function allowed(patterns: readonly string[], subject: string): boolean {
  return patterns.some((pattern) => {
    const [want, have] = [pattern.split('.'), subject.split('.')];
    for (const [at, token] of want.entries()) {
      if (token === '>') return have.length > at;
      if (token !== '*' && token !== have[at]) return false;
    }
    return want.length === have.length;
  });
}
