import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { engineHost } from './engine-host.ts';

describe('engineHost', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'engine-host-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  async function listening(name: string): Promise<AsyncDisposable> {
    const server = createServer().listen(join(directory, name));
    await once(server, 'listening');
    return server;
  }
  const look = (withinMs: number, env = {}): Promise<string | undefined> => {
    const sockets = { usual: [join(directory, 'usual')], podman: join(directory, 'podman'), withinMs };
    return engineHost(env, new AbortController().signal, sockets);
  };

  it('waits for an engine that starts beside the agent', async () => {
    const found = look(30_000);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await using _ = await listening('podman');
    assert.equal(await found, `unix://${join(directory, 'podman')}`);
  });

  it('leaves it to the client when one of the usual is there, the environment says, or none comes', async () => {
    assert.equal(await look(200), undefined);
    await using _podman = await listening('podman');
    assert.equal(await look(30_000, { DOCKER_HOST: 'unix:///x' }), undefined);
    await using _usual = await listening('usual');
    assert.equal(await look(30_000), undefined);
  });
});
