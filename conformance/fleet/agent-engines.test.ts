import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FaultProxy } from '@fairlead/testkit';
import { eventually } from '../eventually.ts';
import { LocalRegistry } from '../local-registry.ts';
import { dockerdProgram } from '../private-dockerd.ts';
import type { EngineProgram } from '../engine-process.ts';
import type { PrivateHome } from '../private-home.ts';
import { podmanProgram } from '../private-podman.ts';
import { AgentWorld } from './agent-world.ts';

const ENGINES = [
  { engine: 'dockerd', programOf: dockerdProgram, tellsSignals: true },
  // Podman's events do not say which signal was sent, so there is no grace to be told.
  { engine: 'podman', programOf: (home: PrivateHome): EngineProgram => podmanProgram(home, []), tellsSignals: false },
];

/** The agent commands other people's engines as it commands ours. */
for (const { engine, programOf, tellsSignals } of ENGINES)
  describe(`fairlead agent with ${engine}`, { skip: process.getuid?.() !== 0 }, () => {
    let world: AgentWorld;
    before(async () => {
      world = await AgentWorld.open(programOf);
      await world.startLinkedAgent();
    });
    after(() => world[Symbol.asyncDispose]());

    const stubborn = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];
    const HostConfig = { NetworkMode: 'none' };

    it('creates, stops with evidence, starts again, executes, renames, restarts and removes', async () => {
      const { hub } = world;
      const body = { Image: 'busybox', Cmd: stubborn, HostConfig };
      const made = await hub.end(hub.send({ verb: 'create', name: 'web', body, start: true }));
      assert.equal(made.state, 'SUCCEEDED', JSON.stringify(made.outcome));
      const stop = hub.send({ verb: 'stop', container: 'web', graceMs: 1_000 });
      const { outcome } = await hub.end(stop);
      assert.deepEqual([outcome.stop, outcome.exitCode, outcome.changed], ['killed', 137, true]);
      const phases = (await hub.events(stop)).flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));
      const expected = tellsSignals ? ['signal', 'grace', 'kill'] : ['signal'];
      assert.deepEqual(phases.slice(0, expected.length), expected);
      assert.equal((await hub.end(hub.send({ verb: 'stop', container: 'web' }))).outcome.changed, false);
      assert.equal((await hub.end(hub.send({ verb: 'start', container: 'web' }))).outcome.changed, true);
      const said = await hub.end(
        hub.send({ verb: 'exec', container: 'web', argv: ['sh', '-c', 'cat; exit 4'], stdin: 'in' }),
      );
      assert.deepEqual([said.outcome.exitCode, said.outcome.stdout], [4, 'in']);
      for (const command of [
        { verb: 'rename', container: 'web', name: 'app' },
        { verb: 'restart', container: 'app', graceMs: 0 },
        { verb: 'pause', container: 'app' },
        { verb: 'unpause', container: 'app' },
      ] as const) {
        const end = await hub.end(hub.send(command));
        assert.equal(end.state, 'SUCCEEDED', `${command.verb}: ${JSON.stringify(end.outcome)}`);
      }
    });

    it('kills a cancelled program with its children', async () => {
      const { hub } = world;
      const id = hub.send({ verb: 'exec', container: 'app', argv: ['sh', '-c', 'sleep 1234 & sleep 1234'] });
      await hub.events(id, (events) => events.some((event) => event.kind === 'phase' && event.phase === 'work'));
      let answer = await hub.cancel(id);
      for (let tries = 0; answer.result === 'NOT_CANCELLABLE' && tries < 100; tries += 1) answer = await hub.cancel(id);
      assert.equal(answer.result, 'CANCEL_DELIVERED');
      assert.equal((await hub.end(id)).outcome.exitCode, 137);
      const { Processes } = await world.client.containers.top('app');
      assert.ok(!JSON.stringify(Processes).includes('1234'), JSON.stringify(Processes));
    });

    it('goes on with a stop that an agent left behind, and tells its end', async () => {
      const { hub } = world;
      const id = hub.send({ verb: 'stop', container: 'app', graceMs: 3_000 });
      await hub.events(id, (events) => events.some((event) => event.kind === 'phase'));
      assert.equal(await world.stopAgent('SIGKILL'), 137);
      await world.startLinkedAgent();
      const { state, outcome } = await hub.end(id);
      assert.deepEqual([state, outcome.late], ['SUCCEEDED', true]);
      // A Podman that does not clean up behind what has ended has no exit code either.
      if (engine !== 'podman') assert.equal(outcome.exitCode, 137);
      assert.equal((await hub.end(hub.send({ verb: 'remove', container: 'app' }))).state, 'SUCCEEDED');
    });

    // Podman takes a registry without TLS only when its host's files name it.
    if (engine === 'podman') return;
    it('pulls, breaks off a pull that is cancelled, and pulls again what a killed agent had begun', async () => {
      const { hub, client } = world;
      await using registry = await LocalRegistry.start();
      const [, port] = registry.address.split(':');
      await using wire = await FaultProxy.open({ host: '127.0.0.1', port: Number(port) });
      const name = `127.0.0.1:${wire.port}/lib/busybox`;
      await client.images.tag('busybox', { repo: name, tag: 'one' });
      await client.images.push(`${name}:one`);
      await client.images.remove(`${name}:one`);
      const has = async (): Promise<boolean> =>
        (await client.images.list()).some(({ RepoTags }) => RepoTags?.includes(`${name}:one`));
      const begun = async (): Promise<string> => {
        const before = wire.accepted;
        const id = hub.send({ verb: 'pull', image: `${name}:one` });
        await hub.events(id, (events) => events.some(({ kind }) => kind === 'started'));
        await eventually(async () => wire.accepted > before, true);
        return id;
      };
      {
        using _ = wire.swallow('to-client');
        const cancelled = await begun();
        assert.deepEqual(await hub.cancel(cancelled), { result: 'CANCEL_DELIVERED' });
        // CANCELLED as a state would say that it was never started.
        const { state, outcome } = await hub.end(cancelled);
        assert.deepEqual([state, outcome.failure?.code], ['FAILED', 'CANCELLED']);
        assert.equal(await has(), false);
      }
      const killed = await (async () => {
        using _ = wire.swallow('to-client');
        const id = await begun();
        await world.stopAgent('SIGKILL');
        return id;
      })();
      wire.cut();
      await world.startLinkedAgent();
      const { state, outcome } = await hub.end(killed);
      assert.deepEqual([state, outcome.late, await has()], ['SUCCEEDED', true, true]);
      await client.images.remove(`${name}:one`);
      const again = await hub.end(hub.send({ verb: 'pull', image: `${name}:one` }));
      assert.deepEqual([again.state, await has()], ['SUCCEEDED', true]);
      const missing = await hub.end(hub.send({ verb: 'pull', image: `${name}:two` }));
      assert.deepEqual([missing.state, missing.outcome.failure?.code], ['FAILED', 'NOT_FOUND']);
    });
  });
