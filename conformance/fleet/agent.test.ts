import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AgentEvent } from '@fairlead/protocol/fleet';
import { fairleadProgram } from '../private-fairlead.ts';
import { AgentWorld } from './agent-world.ts';

const kinds = (events: readonly AgentEvent[]): readonly string[] =>
  events.map((event) => (event.kind === 'phase' ? event.phase : event.kind));

describe('fairlead agent', { skip: process.getuid?.() !== 0 }, () => {
  let world: AgentWorld;
  before(async () => {
    world = await AgentWorld.open(fairleadProgram);
    await world.startLinkedAgent();
  });
  after(async () => await world[Symbol.asyncDispose]());

  const body = (cmd: readonly string[], more: object = {}): Record<string, unknown> => ({
    Image: 'busybox',
    Cmd: cmd,
    ...more,
  });
  const ignoresTerm = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];

  it('creates, starts, and shows what it did', async () => {
    const { outcome, state } = await world.hub.end(
      world.hub.send({ verb: 'create', name: 'web', body: body(['sleep', '1000']), start: true }),
    );
    assert.equal(state, 'SUCCEEDED');
    assert.equal((await world.client.containers.inspect('web')).Id, outcome.containerId);
    assert.equal((await world.client.containers.inspect('web')).State.Running, true);
  });

  it('answers a second start with changed: false', async () => {
    const { outcome } = await world.hub.end(world.hub.send({ verb: 'start', container: 'web' }));
    assert.equal(outcome.changed, false);
  });

  it('tells the terms, the phases and the evidence of a stop', async () => {
    await world.hub.end(world.hub.send({ verb: 'create', name: 'stubborn', body: body(ignoresTerm), start: true }));
    const events = await world.hub.events(world.hub.send({ verb: 'stop', container: 'stubborn', graceMs: 1_000 }));
    const [accepted] = events;
    assert.ok(accepted?.kind === 'accepted' && accepted.graceMs === 1_000 && (accepted.boundMs ?? 0) > 1_000);
    assert.deepEqual(kinds(events).slice(0, 3), ['accepted', 'started', 'signal']);
    assert.ok(kinds(events).includes('kill'), kinds(events).join());
    const end = events.at(-1);
    assert.ok(
      end?.kind === 'done' && end.outcome.stop === 'killed' && end.outcome.exitCode === 137,
      JSON.stringify(end),
    );
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
  });

  it('runs a program, gives it input, and keeps what it wrote', async () => {
    const id = world.hub.send({
      verb: 'exec',
      container: 'web',
      argv: ['sh', '-c', 'cat; echo "$X" >&2; exit 3'],
      env: ['X=y'],
      stdin: 'hello',
    });
    const { outcome } = await world.hub.end(id);
    assert.deepEqual(
      { exitCode: outcome.exitCode, stdout: outcome.stdout, stderr: outcome.stderr },
      { exitCode: 3, stdout: 'hello', stderr: 'y\n' },
    );
  });

  it('cancels a program by killing it', async () => {
    const id = world.hub.send({ verb: 'exec', container: 'web', argv: ['sh', '-c', 'sleep 1000 & sleep 1000'] });
    await world.hub.events(id, (events) => kinds(events).includes('work'));
    let answer = await world.hub.cancel(id);
    for (let tries = 0; answer.result === 'NOT_CANCELLABLE' && tries < 100; tries += 1)
      answer = await world.hub.cancel(id);
    assert.equal(answer.result, 'CANCEL_DELIVERED');
    const { outcome } = await world.hub.end(id);
    assert.equal(outcome.exitCode, 137);
  });

  const failures = [
    { what: 'a container that is not there', command: { verb: 'stop', container: 'nobody' }, code: 'NOT_FOUND' },
    { what: 'a name that is taken', command: { verb: 'create', name: 'web', body: body(['true']) }, code: 'CONFLICT' },
    { what: 'a kill of what does not run', command: { verb: 'kill', container: 'stubborn' }, code: 'CONFLICT' },
    {
      what: 'an image that is not there',
      command: { verb: 'create', body: { Image: 'nothing:here' } },
      code: 'NOT_FOUND',
    },
    { what: 'a body that is none', command: { verb: 'create', body: { Image: 1 } }, code: 'INVALID' },
  ] as const;
  for (const { what, command, code } of failures) {
    it(`${what}: ${code}`, async () => {
      const { state, outcome } = await world.hub.end(world.hub.send(command));
      assert.deepEqual([state, outcome.failure?.code], ['FAILED', code], JSON.stringify(outcome));
    });
  }

  it('lets a second identical stop share the end of the first', async () => {
    await world.hub.end(world.hub.send({ verb: 'start', container: 'stubborn' }));
    const ids = [1, 2].map(() => world.hub.send({ verb: 'stop', container: 'stubborn', graceMs: 1_500 }));
    const [first, second] = await Promise.all(ids.map((id) => world.hub.end(id)));
    assert.equal(first?.outcome.stop, 'killed');
    assert.deepEqual(second?.outcome, first?.outcome);
    const stops = (await world.client.operations.list()).filter(
      ({ Verb, Outcome }) => Verb === 'stop' && Outcome !== null,
    );
    assert.equal(stops.length, 2, 'one of this test and one of the test before');
  });

  it('lets a kill overtake a stop that is in its grace', async () => {
    await world.hub.end(world.hub.send({ verb: 'start', container: 'stubborn' }));
    const stop = world.hub.send({ verb: 'stop', container: 'stubborn', graceMs: 600_000 });
    await world.hub.events(stop, (events) => kinds(events).includes('signal'));
    assert.deepEqual(await world.hub.cancel(stop).then(({ result }) => result), 'NOT_CANCELLABLE');
    const kill = await world.hub.end(world.hub.send({ verb: 'kill', container: 'stubborn' }));
    assert.equal(kill.state, 'SUCCEEDED');
    const { state, outcome } = await world.hub.end(stop);
    assert.deepEqual([state, outcome.exitCode], ['SUCCEEDED', 137]);
  });

  it('does what is behind a stop after it, and cancels it as never started while it waits', async () => {
    await world.hub.end(world.hub.send({ verb: 'start', container: 'stubborn' }));
    const stop = world.hub.send({ verb: 'stop', container: 'stubborn', graceMs: 1_500 });
    const start = world.hub.send({ verb: 'start', container: 'stubborn' });
    const remove = world.hub.send({ verb: 'remove', container: 'stubborn', force: true });
    await world.hub.events(stop, (events) => kinds(events).includes('signal'));
    let answer = await world.hub.cancel(remove);
    for (let tries = 0; answer.result !== 'CANCELLED_BEFORE_START' && tries < 100; tries += 1)
      answer = await world.hub.cancel(remove);
    assert.equal(answer.result, 'CANCELLED_BEFORE_START');
    assert.equal((await world.hub.end(stop)).outcome.stop, 'killed');
    assert.equal((await world.hub.end(start)).outcome.changed, true);
    assert.equal((await world.hub.end(remove)).state, 'CANCELLED');
    assert.equal((await world.client.containers.inspect('stubborn')).State.Running, true);
  });

  it('renames, pauses, unpauses, restarts and removes', async () => {
    const verbs = [
      { verb: 'pause', container: 'stubborn' },
      { verb: 'unpause', container: 'stubborn' },
      { verb: 'rename', container: 'stubborn', name: 'renamed' },
      { verb: 'restart', container: 'renamed', graceMs: 0 },
      { verb: 'remove', container: 'renamed', force: true },
      { verb: 'noop' },
    ] as const;
    for (const command of verbs) {
      const { state, outcome } = await world.hub.end(world.hub.send(command));
      assert.equal(state, 'SUCCEEDED', `${command.verb}: ${JSON.stringify(outcome)}`);
    }
    await assert.rejects(world.client.containers.inspect('renamed'), /no such container/i);
  });

  it('asks for every claim once, and starts nothing that is refused', async () => {
    world.hub.claimAnswer = () => ({ granted: false, why: 'expired' });
    const id = world.hub.send({ verb: 'stop', container: 'web' });
    await world.hub.events(id, () => (world.hub.operations.get(id)?.claims ?? 0) > 0);
    world.hub.claimAnswer = undefined;
    assert.equal((await world.client.containers.inspect('web')).State.Running, true);
    await world.hub.end(world.hub.send({ verb: 'noop' }));
    assert.deepEqual(world.hub.operations.get(id), { claims: 1, messages: 0, events: [] });
  });

  it('says which containers there are, what changes, and that it lives', async () => {
    const seen = (): ReadonlySet<string> =>
      new Set(world.hub.inventories.flatMap(({ changed }) => changed.map(({ name }) => name)));
    // What comes and goes between two looks is not told.
    await world.hub.events('none', () => seen().has('web'));
    assert.equal(world.hub.inventories[0]?.full, true);
    await world.hub.events('none', () =>
      world.hub.heartbeats.some(({ engine }) => engine.name === 'fairlead' && (engine.containers ?? 0) > 0),
    );
  });

  it('leaves a stop that runs to the engine on SIGTERM, and tells its end at the next start', async () => {
    const { hub } = world;
    await hub.end(hub.send({ verb: 'create', name: 'last', body: body(ignoresTerm), start: true }));
    const id = hub.send({ verb: 'stop', container: 'last', graceMs: 3_000 });
    await hub.events(id, (events) => kinds(events).includes('signal'));
    assert.equal(await world.stopAgent(), 0, world.agentLog());
    assert.equal(hub.operations.get(id)?.events.at(-1)?.kind, 'phase');
    await world.startLinkedAgent();
    const { state, outcome } = await hub.end(id);
    assert.deepEqual([state, outcome.exitCode], ['SUCCEEDED', 137]);
    assert.equal(await world.stopAgent(), 0);
  });
});
