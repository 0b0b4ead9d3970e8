import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type ConnectOptions } from '@fairlead/client';
import { EngineUnderTest } from '../engines.ts';
import { PrivateSshd } from '../private-sshd.ts';
import { ENV, refusalOf, runWeb, useEverything } from './use-everything.ts';

describe('connect, over ssh', () => {
  const stack = new AsyncDisposableStack();
  let engine: EngineUnderTest;
  let sshd: PrivateSshd;
  let directory: string;

  before(async () => {
    engine = stack.use(await EngineUnderTest.start('dockerd'));
    ({ directory } = engine);
    sshd = stack.use(await PrivateSshd.start(join(directory, 'sshd'), { DOCKER_HOST: engine.host }));
    await runWeb(engine);
  });
  after(() => stack.disposeAsync());

  const over = (
    to: PrivateSshd,
    more: { path?: string; args?: readonly string[]; share?: boolean } = {},
  ): ConnectOptions => ({
    host: `ssh://${to.user}@127.0.0.1:${to.port}${more.path ?? ''}`,
    ssh: { args: [...(more.args ?? []), '-F', to.clientConfig], share: more.share },
    env: ENV,
  });

  it('does everything with one login, and leaves no process', async () => {
    const loginsBefore = sshd.logins();
    {
      await using client = await connect(over(sshd));
      await useEverything(client);
      assert.equal(sshd.logins() - loginsBefore, 1);
    }
    assert.deepEqual(sshProcesses(sshd), []);
  });

  it('does everything with a login for each connection, when it is told to', async () => {
    const loginsBefore = sshd.logins();
    {
      await using client = await connect(over(sshd, { share: false }));
      await useEverything(client);
      assert.ok(sshd.logins() - loginsBefore > 1);
    }
    assert.deepEqual(sshProcesses(sshd), []);
  });

  it('reaches the socket that the path names', async () => {
    await using client = await connect(over(sshd, { path: engine.socketPath }));
    assert.equal(client.address, `ssh://${sshd.user}@127.0.0.1:${sshd.port}${engine.socketPath}`);
    await client.system.ping();
  });

  it('says what ssh says, and what the program over there says', async () => {
    const nobody = await refusalOf(over(sshd, { path: '/nosuch/socket' }));
    assert.equal(nobody.errno, 'EXIT_1');
    assert.match(nobody.message, /^Cannot connect to the engine at ssh:.*the other side says: .*\/nosuch\/socket/);
    const impostor = await refusalOf(over(sshd, { args: ['-o', 'UserKnownHostsFile=/dev/null'] }));
    assert.equal(impostor.errno, 'EXIT_255');
    assert.match(impostor.message, /ssh says: .*Host key verification failed/s);
    const stranger = await refusalOf(
      over(sshd, { args: ['-o', 'IdentityFile=/dev/null', '-o', 'PubkeyAuthentication=no'] }),
    );
    assert.match(stranger.message, /ssh says: .*Permission denied/);
    const nothing = await refusalOf({ ...over(sshd), ssh: { program: '/nosuch/ssh' } });
    assert.match(nothing.message, /ssh says: .*ENOENT/);
    assert.deepEqual(sshProcesses(sshd), []);
  });

  it('frees everything when the caller leaves before it is connected', async () => {
    const silent = await silentPort();
    await using client = await connect({ ...over(sshd), host: `ssh://127.0.0.1:${silent.port}` });
    const caller = new AbortController();
    const asked = client.system.version({ signal: caller.signal });
    await silent.called;
    caller.abort(new Error('I left'));
    await assert.rejects(asked, { message: 'I left' });
    await client[Symbol.asyncDispose]();
    assert.deepEqual(sshProcesses(sshd), []);
    silent.close();
  });

  it('runs fairlead where there is no docker, and logs in anew where a login cannot be shared', async () => {
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    const fairlead = join(import.meta.dirname, '../../bin/fairlead');
    writeFileSync(join(bin, 'fairlead'), `#!/bin/sh\nexec ${fairlead} "$@"\n`, { mode: 0o755 });
    await using other = await PrivateSshd.start(join(directory, 'other'), { DOCKER_HOST: engine.host, PATH: bin });
    await using client = await connect(over(other));
    await useEverything(client);
    assert.ok(other.logins() > 1);
  });

  it('says that there is neither', async () => {
    await using other = await PrivateSshd.start(join(directory, 'bare'), { PATH: '/nosuch' });
    const { errno, message } = await refusalOf(over(other));
    assert.equal(errno, 'EXIT_127');
    assert.match(message, /fairlead: .*not found/);
  });
});

/** Command lines of the ssh processes that this process has started to a server. */
function sshProcesses({ clientConfig }: PrivateSshd): readonly string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
    .filter((line) => line.startsWith('ssh ') && line.includes(clientConfig));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended while we looked.
    return '';
  }
}

/** A server that accepts and says nothing. */
async function silentPort(): Promise<{ readonly port: number; readonly called: Promise<unknown>; close(): void }> {
  const server = createServer();
  const called = once(server, 'connection');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    called,
    close: () => {
      server.close();
      void called.then(([socket]) => (socket as Socket).destroy());
    },
  };
}
