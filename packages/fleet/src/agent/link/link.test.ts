import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '@fairlead/testkit';
import { silentFleetLog } from '../../lib/log.ts';
import { type NatsTestPlace, natsTestPlace, testAgent } from '../../nats/nats-place.fixture.ts';
import { runAgent } from '../agent.ts';
import { ScriptedHub } from '../scripted-hub.fixture.ts';

interface Scene extends AsyncDisposable {
  readonly hub: ScriptedHub;
  readonly proxy: FaultProxy;
  readonly nats: NatsTestPlace;
  /** Resolves when the agent has said so many hellos. */
  hellos(count: number): Promise<void>;
}

/** A nats-server, a hub on it, an agent behind a proxy, and no engine: `noop` needs none. */
async function scene(): Promise<Scene> {
  await using undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'fa-'));
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const self = testAgent('a');
  const nats = undo.use(await natsTestPlace([self]));
  const proxy = undo.use(await FaultProxy.open({ host: '127.0.0.1', port: Number(new URL(nats.server.url).port) }));
  const hub = new ScriptedHub(await nats.hub(), self.host);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'nkey.seed'), self.key.seed);
  const identity = { host: self.host, hub: 'http://127.0.0.1:1', publicKey: self.publicKey };
  const route = { nats: { urls: [`nats://127.0.0.1:${proxy.port}`] } };
  writeFileSync(join(directory, 'identity.json'), JSON.stringify({ version: 1, ...identity, ...route }));
  const leaving = new AbortController();
  const engine = `unix://${directory}/nobody`;
  const agent = runAgent({ stateDir: directory, engine, env: {}, log: silentFleetLog }, leaving.signal);
  undo.defer(async () => {
    leaving.abort(new Error('the test is over'));
    await agent;
  });
  const hellos = async (count: number): Promise<void> => {
    const until = performance.now() + 60_000;
    while (hub.hellos.length < count) {
      if (performance.now() > until) throw new Error(`only ${hub.hellos.length} hellos`);
      await sleep(10);
    }
  };
  await hellos(1);
  const undone = undo.move();
  return { hub, proxy, nats, hellos, [Symbol.asyncDispose]: () => undone.disposeAsync() };
}

/** Every operation ended once, with everything told in order and without gaps. */
async function endedOnce(hub: ScriptedHub, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const events = await hub.events(id);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
    assert.equal(events.filter(({ kind }) => kind === 'started').length, 1);
    const end = events.at(-1);
    assert.ok(end?.kind === 'done' && end.state === 'SUCCEEDED', JSON.stringify(end));
  }
}

describe('the link of an agent', () => {
  it('tells what is over within a moment in fewer messages than it has events', async () => {
    await using world = await scene();
    const { hub } = world;
    const ids = Array.from({ length: 10 }, () => hub.send({ verb: 'noop' }));
    await endedOnce(hub, ids);
    const told = ids.flatMap((id) => hub.operations.get(id) ?? []);
    const events = told.reduce((sum, one) => sum + one.events.length, 0);
    const messages = told.reduce((sum, one) => sum + one.messages, 0);
    assert.equal(events, 40);
    assert.ok(messages < events, `${messages} messages`);
  });

  it('loses nothing and does nothing twice while its connection is cut, in the middle of messages as well', async () => {
    await using world = await scene();
    const { hub, proxy } = world;
    const ids: string[] = [];
    for (let count = 0; count < 24; count += 1) {
      ids.push(await hub.enqueue({ verb: 'noop' }));
      if (count % 6 === 1) proxy.cut();
      if (count % 6 === 3) proxy.cutAfter('to-server', 150 + 97 * count);
      if (count % 6 === 5) proxy.cutAfter('to-client', 150 + 61 * count);
      await sleep(50);
    }
    await endedOnce(hub, ids);
    assert.ok(hub.hellos.length > 2, 'it was cut and came back');
  });

  it('notices a connection that is only half there, and tells over a new one what the old one swallowed', async () => {
    await using world = await scene();
    const { hub, proxy } = world;
    const id = hub.send({ verb: 'noop' });
    const silence = proxy.swallow('to-server');
    const lost = hub.send({ verb: 'noop' });
    await sleep(200);
    silence[Symbol.dispose]();
    // What was swallowed was half of a conversation: the server cuts it off, or the pings find it out.
    proxy.hold('to-client', 'to-server');
    await world.hellos(2);
    await endedOnce(hub, [id, lost]);
  });

  it('takes a command that comes twice for one, and an old connection’s late words for nothing', async () => {
    await using world = await scene();
    const { hub, proxy } = world;
    const first = hub.send({ verb: 'noop' });
    hub.send({ verb: 'noop' }, { operationId: first });
    await endedOnce(hub, [first]);
    assert.equal(hub.operations.get(first)?.claims, 1);
    hub.send({ verb: 'noop' }, { operationId: first });
    const held = proxy.hold('to-server');
    const second = hub.send({ verb: 'noop' });
    await sleep(300);
    held[Symbol.dispose]();
    await endedOnce(hub, [second]);
    const { events } = hub.operations.get(first) ?? { events: [] };
    assert.equal(events.filter(({ kind }) => kind === 'started').length, 1);
  });

  it('keeps what a hub that is away does not store, and tells it when it is back', async () => {
    await using world = await scene();
    const { hub } = world;
    hub.storesEvents = false;
    const id = hub.send({ verb: 'noop' });
    await hub.events(id, () => (hub.operations.get(id)?.claims ?? 0) > 0);
    await sleep(200);
    hub.storesEvents = true;
    await endedOnce(hub, [id]);
  });

  it('comes back to a nats-server that was killed', async () => {
    await using world = await scene();
    const { hub, nats } = world;
    const queued = await hub.enqueue({ verb: 'noop' });
    await endedOnce(hub, [queued]);
    process.kill(nats.server.pid ?? 0, 'SIGKILL');
    await world.hellos(2);
    await endedOnce(hub, [hub.send({ verb: 'noop' })]);
  });

  it('answers for what the hub believes it has and it never heard of: never started', async () => {
    await using world = await scene();
    const { hub, proxy } = world;
    hub.helloAnswer = { heartbeatMs: 1_000, reconcile: [{ operationId: 'op_lost', storedSeq: 0 }] };
    proxy.cut();
    const end = await hub.end('op_lost');
    assert.deepEqual([end.state, end.outcome.failure?.code], ['FAILED', 'LOST']);
  });
});

describe('an agent that is asked to leave', () => {
  it('leaves at once, also while it connects to somebody who does not answer', async () => {
    await using world = await scene();
    using _silent = world.proxy.swallow('to-client', 'to-server');
    world.proxy.cut();
    // Into the next attempt, which hears nothing.
    while (world.proxy.open === 0) await sleep(10);
    const startedMs = performance.now();
    await world[Symbol.asyncDispose]();
    assert.ok(performance.now() - startedMs < 9_000, 'an attempt to connect takes 10 s');
  });
});
