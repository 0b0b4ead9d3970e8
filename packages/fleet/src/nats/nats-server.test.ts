import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import { jetstreamManager } from '@nats-io/jetstream';
import { hostSubjects } from '@fairlead/protocol/fleet';
import { ensureCommandStream, ensureConsumer } from './command-stream.ts';
import { connectNats } from './connect-nats.ts';
import { natsTestPlace, testAgent } from './nats-place.fixture.ts';
import { startNatsServer } from './nats-server.ts';

describe('startNatsServer', () => {
  it('serves hub and enrolled agents, makes the stream, and lets in nobody else', async () => {
    const agent = testAgent('a');
    await using place = await natsTestPlace([agent]);
    const hub = await place.hub();
    const manager = await jetstreamManager(hub);
    await ensureCommandStream(manager, 1);
    await ensureCommandStream(manager, 1);
    await ensureConsumer(manager, agent.host);
    await ensureConsumer(manager, agent.host);
    const own = hostSubjects(agent.host);
    hub.subscribe(own.claim, { callback: (_error, message) => void message.respond('granted') });
    await hub.flush();
    const connection = await place.agent(agent);
    assert.equal((await connection.request(own.claim, '', { timeout: 30_000 })).string(), 'granted');
    const stranger = { servers: [place.server.url], key: testAgent('b').key, name: 'stranger' };
    await assert.rejects(connectNats(stranger), { kind: 'unavailable' });
  });

  it('lets an agent in and out by reloading, without cutting off the others, and says so to $SYS', async () => {
    const [first, second] = [testAgent('a'), testAgent('b')];
    await using place = await natsTestPlace([first]);
    const system = await place.system();
    const gone = Promise.withResolvers<unknown>();
    system.subscribe('$SYS.ACCOUNT.FLEET.DISCONNECT', { callback: (_error, message) => gone.resolve(message.json()) });
    await system.flush();
    const stays = await place.agent(first);
    const cuts = statusCounter(stays);
    await Promise.all([place.server.setAgents([first]), place.server.setAgents([first, second])]);
    const leaves = await place.agent(second);
    const cut = statusCounter(leaves);
    await place.server.setAgents([first]);
    assert.match(JSON.stringify(await gone.promise), new RegExp(second.publicKey));
    await until(() => cut.count > 0);
    await stays.flush();
    assert.equal(cuts.count, 0);
  });

  it('starts it again at the same address when it is killed', async () => {
    const agent = testAgent('a');
    await using place = await natsTestPlace([agent]);
    const connection = await place.agent(agent);
    const { pid } = place.server;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
    await until(() => place.server.pid !== undefined && place.server.pid !== pid);
    await until(async () => (await connection.rtt().catch(() => -1)) >= 0);
  });

  it('replaces one that an earlier hub left running, and keeps its port', async () => {
    await using place = await natsTestPlace();
    await place.server[Symbol.asyncDispose]();
    const left = spawn('nats-server', ['-c', join(place.directory, 'nats.json')], { stdio: 'ignore' });
    const gone = once(left, 'exit');
    await until(async () => (await readFile(join(place.directory, 'nats.pid'), 'utf8')) === String(left.pid));
    await using next = await startNatsServer(place.options, AbortSignal.timeout(60_000));
    assert.deepEqual(await gone, [null, 'SIGKILL']);
    assert.equal(next.url, place.server.url);
  });

  it('refuses to listen for strangers with a version that has published holes', async () => {
    await using place = await natsTestPlace();
    const open = { ...place.options, directory: join(place.directory, 'other'), listenHost: '0.0.0.0' };
    await assert.rejects(startNatsServer(open, AbortSignal.timeout(60_000)), { kind: 'forbidden' });
  });

  it('ends with its parent, also when that is killed', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-nats-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const script = `
      import { startNatsServer } from ${JSON.stringify(join(import.meta.dirname, 'nats-server.ts'))};
      const log = { event() {}, warning() {}, failure() {} };
      const key = ${JSON.stringify(testAgent('a').publicKey)};
      const options = { directory: ${JSON.stringify(directory)}, hubKey: key, systemKey: ${JSON.stringify(testAgent('b').publicKey)}, agents: [], log };
      const server = await startNatsServer(options, AbortSignal.timeout(60000));
      console.log(server.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await once(parent.stdout, 'data');
    const pid = Number(String(printed));
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
    assert.match(await readFile(join(directory, 'port'), 'utf8'), /^\d+$/);
  });
});

function statusCounter(connection: NatsConnection): { readonly count: number } {
  const counter = { count: 0 };
  void (async () => {
    for await (const status of connection.status()) if (status.type === 'disconnect') counter.count += 1;
  })();
  return counter;
}

function isAlive(pid: number | undefined): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, 'it never became true');
    await sleep(10);
  }
}
