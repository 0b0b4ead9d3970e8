import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { connect } from '@fairlead/client';
import { Engine } from '@fairlead/engine';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { EngineUnderTest } from '../engines.ts';
import { eventually } from '../eventually.ts';
import { makeHome, removeHome } from '../private-home.ts';
import { freePort } from '../private-sshd.ts';
import { ENV, runWeb, useEverything } from './use-everything.ts';

describe('connect, to Fairlead', () => {
  it('does everything over TCP, and over a unix socket', async () => {
    const port = await freePort();
    await using engine = await EngineUnderTest.start('fairlead', { args: ['--host', `tcp://127.0.0.1:${port}`] });
    await runWeb(engine);
    const statusOf = ({ status }: Response): number => status;
    for (const host of [`tcp://127.0.0.1:${port}`, engine.host]) {
      await using client = await connect({ host, env: ENV });
      await useEverything(client);
      // What was idle is closed now; the first question of all is one that is never sent twice.
      await engine.restart();
      // It answers on the unix socket first.
      await eventually(() => fetch(`http://127.0.0.1:${port}/_ping`).then(statusOf, () => 0), 200);
      await useEverything(client);
    }
  });

  it('does everything in process, and the ledger says so', async () => {
    const home = await makeHome();
    try {
      await using engine = await Engine.open({ root: home.root, logLevel: 'silent' });
      await using client = await connect({ engine, env: ENV });
      const image = await dockerArchive([await busyboxImage()]);
      await Array.fromAsync(client.images.load(Readable.from([image])));
      const command = ['sh', '-c', 'echo ready; exec sleep 1000'];
      await client.containers.create({ Image: 'busybox', Cmd: command }, { name: 'web' });
      await client.containers.start('web');
      await useEverything(client);
      await client.containers.remove('web', { force: true });
      const [last] = await client.operations.list({ limit: 1 });
      assert.equal(last?.Caller.Address, 'in-process');
      // One connection is idle now, and one listens for events: neither keeps the engine from closing.
      const events = client.events()[Symbol.asyncIterator]();
      const next = events.next().catch((error: unknown) => error);
      await engine.drain(60_000);
      await next;
    } finally {
      await removeHome(home);
    }
  });
});
