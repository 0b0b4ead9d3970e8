import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, PermissionViolationError } from '@nats-io/nats-core';
import { COMMAND_STREAM, hostSubjects } from '@fairlead/protocol/fleet';
import { HubPlace, type WireAgent } from './hub-place.fixture.ts';

/** Everything here is done by a real agent's key against a real nats-server: one host tries to be, or to hear, another. */
describe('agents of the fleet', () => {
  let place: HubPlace;
  let evil: WireAgent;
  let victim: WireAgent;
  before(async () => {
    place = await HubPlace.open();
    evil = await place.agent('evil');
    victim = await place.agent('victim', { command: async () => {} });
  });
  after(async () => await place[Symbol.asyncDispose]());

  const speaking: readonly (readonly [string, (host: WireAgent) => string])[] = [
    ['a hello', ({ host }) => hostSubjects(host).hello],
    ['a claim', ({ host }) => hostSubjects(host).claim],
    ['an event', ({ host }) => hostSubjects(host).operationEvent('op_x')],
    ['a heartbeat', ({ host }) => hostSubjects(host).heartbeat],
    ['a live command', ({ host }) => hostSubjects(host).rpc('command')],
    ['a queued command', ({ host }) => hostSubjects(host).command],
    ['session output', ({ host }) => hostSubjects(host).sessionOutput('s1')],
    ['session input', ({ host }) => hostSubjects(host).sessionInput('s1')],
    ['an answer', ({ host }) => hostSubjects(host).answer('t1')],
    ['a request for its queue', ({ host }) => `$JS.API.CONSUMER.MSG.NEXT.${COMMAND_STREAM}.${host}`],
    ['an acknowledgement', ({ host }) => `$JS.ACK.${COMMAND_STREAM}.${host}.1.1.1.1.1`],
  ];
  for (const [what, subject] of speaking) {
    it(`cannot say ${what} as another host`, async () => await refusedPublish(evil.connection, subject(victim)));
  }

  for (const subject of [
    `$JS.API.STREAM.PURGE.${COMMAND_STREAM}`,
    `$JS.API.STREAM.DELETE.${COMMAND_STREAM}`,
    `$JS.API.STREAM.MSG.GET.${COMMAND_STREAM}`,
    `$JS.API.CONSUMER.CREATE.${COMMAND_STREAM}`,
    '$JS.API.STREAM.LIST',
    '$SYS.REQ.SERVER.PING',
  ]) {
    it(`cannot administer: ${subject}`, async () => await refusedPublish(evil.connection, subject));
  }

  const hearing: readonly (readonly [string, (host: WireAgent) => string])[] = [
    ['commands of another host', ({ host }) => hostSubjects(host).rpc('command')],
    ['every command', () => 'f.*.rpc.command'],
    ['queued commands', ({ host }) => hostSubjects(host).command],
    ['claims', () => 'f.*.claim'],
    ['session input of another host', ({ host }) => hostSubjects(host).sessionInput('s1')],
    ['inboxes of another host', ({ host }) => `${hostSubjects(host).inboxPrefix}.>`],
    ['the hub’s inboxes', () => '_INBOX.>'],
    ['everything', () => '>'],
    ['who comes and goes', () => '$SYS.ACCOUNT.FLEET.>'],
  ];
  for (const [what, subject] of hearing) {
    it(`cannot listen to ${what}`, async () => await refusedSubscribe(evil.connection, subject(victim)));
  }

  it('cannot claim, nor end, an operation of another host under its own name', async () => {
    const submitted = await place.ask('POST', '/v1/operations', {
      body: { host: 'victim', command: { verb: 'noop' }, patienceMs: 0 },
    });
    const { id } = submitted.body.operation;
    assert.deepEqual(await evil.claim(id), { granted: false, why: 'unknown' });
    await evil.tell(id, { seq: 1, atMs: 0, kind: 'done', state: 'SUCCEEDED', outcome: {} });
    assert.equal((await place.ask('GET', `/v1/operations/${id}`)).body.state, 'SUBMITTED');
    assert.deepEqual(await victim.claim(id), { granted: true });
  });

  it('is refused a command that is played back to it after its end', async () => {
    const ended = await place.ask('POST', '/v1/operations', { body: { host: 'evil', command: { verb: 'noop' } } });
    assert.equal(ended.body.state, 'ENDED');
    const { id } = ended.body.operation;
    assert.deepEqual(await evil.claim(id), { granted: false, why: 'ended' });
  });

  it('is cut off at once when its host is removed, and cannot come back', async () => {
    const gone = await place.agent('gone');
    const closed = Promise.withResolvers<void>();
    void (async () => {
      for await (const status of gone.connection.status()) if (status.type === 'disconnect') closed.resolve();
    })();
    assert.equal((await place.ask('DELETE', '/v1/hosts/gone')).status, 200);
    await closed.promise;
    const manager = await jetstreamManager(victim.connection, { checkAPI: false });
    await assert.rejects(manager.streams.info(COMMAND_STREAM));
    const offline = await place.ask('POST', '/v1/operations', { body: { host: 'gone', command: { verb: 'noop' } } });
    assert.equal(offline.body.code, 'NOT_FOUND');
  });
});

/** The server says no to this connection: nothing was delivered. */
async function refusedPublish(connection: NatsConnection, subject: string): Promise<void> {
  const refused = violation(connection, subject);
  connection.publish(subject, '{}');
  await connection.flush();
  await refused;
}

async function refusedSubscribe(connection: NatsConnection, subject: string): Promise<void> {
  const refused = violation(connection, subject);
  connection.subscribe(subject, { callback: () => {} });
  await connection.flush();
  await refused;
}

async function violation(connection: NatsConnection, subject: string): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error' && status.error instanceof PermissionViolationError && status.error.subject === subject)
      return;
  }
}
