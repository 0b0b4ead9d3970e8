import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetClient } from '@fairlead/client/fleet';
import type { FleetOperationEvent } from '@fairlead/protocol/fleet';
import { HubPlace, queuedMessages } from './hub-place.fixture.ts';

const noop = { verb: 'noop' } as const;

describe('startHub', () => {
  it('carries a live command to its host and back, once per key, also after a restart', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1', {}, { role: 'web' });
    const asked = { host: 'web-1', command: noop, key: 'k1' };
    const first = await place.ask('POST', '/v1/operations', { body: asked });
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.equal(first.body.operation.state, 'SUCCEEDED');
    await place.restart();
    const again = await place.ask('POST', '/v1/operations', { body: asked });
    assert.equal(again.body.operation.id, first.body.operation.id);
    const other = await place.ask('POST', '/v1/operations', {
      body: { ...asked, command: { verb: 'pull', image: 'a' } },
    });
    assert.deepEqual([other.status, other.body.code], [409, 'KEY_CONFLICT']);
    assert.deepEqual(agent.started, [first.body.operation.id]);
  });

  it('tells whoever follows an operation every event once and in order, also over its restart', async () => {
    await using place = await HubPlace.open();
    await place.agent('web-1', {
      command: async (agent, { operationId }) => {
        await agent.claim(operationId);
        // Told of its end when it comes back to the next hub.
        agent.started.push(operationId);
        const accepted = { kind: 'accepted', graceMs: null, boundMs: 60_000, phases: ['work'] } as const;
        await agent.tell(operationId, [
          { seq: 1, atMs: 0, ...accepted },
          { seq: 2, atMs: 1, kind: 'started' },
        ]);
      },
    });
    await using fleet = await FleetClient.open({ hub: `unix://${place.options.socket}` });
    const operation = await fleet.submit({ host: 'web-1', command: noop, patienceMs: 0 });
    const seen: FleetOperationEvent[] = [];
    for await (const event of operation.follow()) {
      seen.push(event);
      if (event.kind === 'started') await place.restart();
    }
    assert.deepEqual(
      seen.map(({ seq }) => seq),
      seen.map((_, at) => at + 1),
    );
    assert.deepEqual([seen.at(-1)?.kind, (await operation.wait()).state], ['ended', 'SUCCEEDED']);
    assert.deepEqual(await Array.fromAsync(operation.follow()), seen);
  });

  it('says at once that a host is offline, and that nothing was started', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1');
    await agent.connection.close();
    const { status, body } = await place.ask('POST', '/v1/operations', { body: { host: 'web-1', command: noop } });
    assert.equal(status, 200);
    assert.deepEqual([body.operation.state, body.operation.outcome.failure.code], ['FAILED', 'HOST_OFFLINE']);
    assert.equal((await claimLate(place, body.operation.id)).why, 'ended');
  });

  it('answers PENDING before the caller’s patience ends, and the operation goes on', async () => {
    await using place = await HubPlace.open();
    const go = Promise.withResolvers<void>();
    await place.agent('web-1', {
      command: async (agent, message) => {
        await agent.claim(message.operationId);
        const bound = { graceMs: 20_000, boundMs: 34_000, phases: ['signal', 'grace', 'kill', 'confirm'] } as const;
        await agent.tell(message.operationId, [
          { seq: 1, atMs: 0, kind: 'accepted', ...bound },
          { seq: 2, atMs: 1, kind: 'started' },
          { seq: 3, atMs: 2, kind: 'phase', phase: 'grace' },
        ]);
        await go.promise;
        const outcome = { changed: true, stop: 'exited', exitCode: 0 } as const;
        await agent.tell(message.operationId, { seq: 4, atMs: 3, kind: 'done', state: 'SUCCEEDED', outcome });
      },
    });
    const body = { host: 'web-1', command: { verb: 'stop', container: 'web' }, key: 'deploy-1', patienceMs: 3_000 };
    const pending = await place.ask('POST', '/v1/operations', { body });
    assert.equal(pending.status, 202);
    const { operation } = pending.body;
    assert.deepEqual([operation.state, operation.phase], ['RUNNING', 'grace']);
    assert.ok(operation.boundRemainingMs > 0 && operation.boundRemainingMs <= 34_000);
    go.resolve();
    const ended = await place.ask('GET', `/v1/operations/${operation.id}?waitMs=60000`);
    assert.deepEqual([ended.body.state, ended.body.outcome.stop], ['SUCCEEDED', 'exited']);
    const { body: history } = await place.ask('GET', `/v1/operations/${operation.id}/history`);
    const kinds = history.map(({ kind }: { kind: string }) => kind);
    assert.deepEqual(kinds, ['submitted', 'claimed', 'accepted', 'started', 'phase', 'ended']);
  });

  it('keeps 64 commands for an offline host and refuses the 65th; a cancelled one leaves the queue and is never granted', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1');
    const queue = { host: 'web-1', command: noop, mode: 'queue', patienceMs: 0 };
    const all = await place.ask('POST', '/v1/operations', { body: Array.from({ length: 65 }, () => queue) });
    const states = all.body.map(({ operation }: { operation: { state: string } }) => operation.state);
    assert.deepEqual(
      [states.filter((state: string) => state === 'QUEUED').length, states.includes('FAILED')],
      [64, true],
    );
    const full = all.body.find(({ operation }: { operation: { state: string } }) => operation.state === 'FAILED');
    assert.equal(full.operation.outcome.failure.code, 'QUEUE_FULL');
    const { id } = all.body.find(
      ({ operation }: { operation: { state: string } }) => operation.state === 'QUEUED',
    ).operation;
    const cancelled = await place.ask('POST', `/v1/operations/${id}/cancel`);
    assert.deepEqual(cancelled.body, { result: 'CANCELLED_BEFORE_START' });
    assert.deepEqual(await agent.claim(id), { granted: false, why: 'cancelled' });
    for (let left = await queued(place); left > 63; left = await queued(place)) await sleep(20);
    const fetched = await agent.fetch();
    assert.ok(fetched !== undefined && fetched.operationId !== id);
    await agent.run(fetched);
    const again = await place.ask('POST', `/v1/operations/${fetched.operationId}/cancel`);
    assert.deepEqual(again.body, { result: 'NOT_CANCELLABLE', phase: null, state: 'SUCCEEDED' });
  });

  it('ends what was delivered again and again and never taken, and never grants it', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1');
    const body = { host: 'web-1', command: noop, mode: 'queue', patienceMs: 0 };
    const { operation } = (await place.ask('POST', '/v1/operations', { body })).body;
    await place.hurryQueueOf(agent.host, { ackWaitMs: 200, deliveries: 2 });
    const isOver = async (): Promise<boolean> =>
      (await place.ask('GET', `/v1/operations/${operation.id}`)).body.state === 'FAILED';
    let delivered = 0;
    for (let tries = 0; !(await isOver()); tries += 1) {
      assert.ok(tries < 600, `delivered ${delivered} times, and it is not over`);
      if ((await agent.fetch({ acknowledged: false }))?.operationId === operation.id) delivered += 1;
      await sleep(50);
    }
    const ended = (await place.ask('GET', `/v1/operations/${operation.id}`)).body;
    assert.deepEqual([delivered, ended.outcome.failure.code, ended.startedAt], [2, 'DEAD_LETTER', null]);
    assert.equal((await agent.claim(operation.id)).granted, false);
    for (let left = await queued(place); left > 0; left = await queued(place)) await sleep(20);
  });

  it('decides by its own clock that a queued command has expired, and never grants it', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1');
    const body = { host: 'web-1', command: noop, mode: 'queue', patienceMs: 0, startByMs: 300 };
    const { operation } = (await place.ask('POST', '/v1/operations', { body })).body;
    assert.equal(operation.state, 'QUEUED');
    const ended = await place.ask('GET', `/v1/operations/${operation.id}?waitMs=60000`);
    assert.equal(ended.body.state, 'EXPIRED');
    assert.deepEqual(await agent.claim(operation.id), { granted: false, why: 'expired' });
    for (let left = await queued(place); left > 0; left = await queued(place)) await sleep(20);
  });

  it('tells who is online within moments, merges inventories and audits who asked', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1', {}, { role: 'web' });
    const container = { id: 'c1', name: 'web', image: 'nginx', state: 'running', status: 'Up', labels: {} };
    agent.connection.publish(`f.${agent.host}.inv`, JSON.stringify({ full: true, changed: [container], removed: [] }));
    await agent.hello();
    assert.equal((await place.ask('GET', '/v1/hosts/web-1')).body.state, 'online');
    const listed = await place.ask('GET', '/v1/containers?selector=role%3Dweb');
    assert.deepEqual([listed.body.length, listed.body[0].hostName, listed.body[0].stale], [1, 'web-1', false]);
    assert.equal((await place.ask('GET', '/v1/containers?selector=role%3Ddb')).body.length, 0);
    await agent.connection.close();
    for (let state = ''; state !== 'offline'; state = (await place.ask('GET', '/v1/hosts/web-1')).body.state)
      await sleep(20);
    await place.ask('POST', '/v1/operations', { body: { host: 'web-1', command: noop } });
    const { body: lines } = await place.ask('GET', '/v1/audit');
    assert.equal(lines.at(-1).action, 'operation.submit');
    assert.deepEqual((await place.ask('GET', '/v1/audit/check')).body, { whole: true, firstBroken: null });
  });

  it('lets no second hub into its directory, nor listens to strangers without TLS', async () => {
    await using place = await HubPlace.open();
    const other = { ...place.options, socket: `${place.options.socket}2` };
    await assert.rejects(HubPlace.open({ directory: place.options.directory, socket: other.socket }), {
      kind: 'conflict',
    });
    await assert.rejects(HubPlace.open({ listen: { host: '0.0.0.0', port: 0 } }), { kind: 'forbidden' });
  });
});

async function claimLate(place: HubPlace, id: string): Promise<{ why?: string }> {
  const late = place.hub.parts.desk.get(id);
  assert.ok(late !== undefined);
  const answer = await place.hub.parts.desk.claim(late.host, id);
  return answer.granted ? {} : answer;
}

async function queued(place: HubPlace): Promise<number> {
  return await queuedMessages(place.natsConnection);
}
