import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNats } from '../nats/connect-nats.ts';
import { createKey, loadOrCreateKey } from '../nats/fleet-key.ts';
import { HubPlace, runQueue, WireAgent } from './hub-place.fixture.ts';

const noop = { verb: 'noop' } as const;

describe('startHub with a site’s cluster', () => {
  it('loses nothing when one of three nats-servers is killed under load', async () => {
    await using cluster = await startCluster();
    await using place = await HubPlace.open({ nats: { urls: cluster.urls, replicas: 3 } });
    const agent = await place.agent('web-1');
    const ids: string[] = [];
    const load = (async () => {
      for (let at = 0; at < 60; at += 1) {
        const mode = at % 2 === 0 ? 'queue' : 'live';
        const body = { host: 'web-1', command: noop, key: `k${at}`, mode, patienceMs: 0 };
        const answer = await place.ask('POST', '/v1/operations', { body });
        ids.push(answer.body.operation.id);
      }
    })();
    while (ids.length < 15) await sleep(5);
    cluster.servers[0]?.kill('SIGKILL');
    await load;
    await runQueue(place, agent);
    for (const [at, id] of ids.entries()) {
      const { body } = await place.ask('GET', `/v1/operations/${id}`);
      const good = body.state === 'SUCCEEDED' || (at % 2 === 1 && body.outcome?.failure?.code === 'HOST_OFFLINE');
      assert.ok(good, `${at}: ${body.state} ${JSON.stringify(body.outcome)}`);
      assert.equal(agent.started.filter((started) => started === id).length, body.state === 'SUCCEEDED' ? 1 : 0);
      assert.equal((await place.ask('GET', `/v1/operations?key=k${at}`)).body[0].id, id);
    }
  });

  it('is let into one that asks for keys, and says which agents are to be let in', async () => {
    await using undo = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-hub-'));
    undo.defer(() => rm(directory, { recursive: true, force: true }));
    const hubUser = { nkey: (await loadOrCreateKey(join(directory, 'hub.nk'))).publicKey };
    await using cluster = await startCluster([hubUser]);
    await using place = await HubPlace.open({ directory, nats: { urls: cluster.urls, replicas: 3 } });
    const key = createKey();
    const { enrolment } = place.hub.parts;
    const { token } = await enrolment.makeToken({ name: 'web-1' }, 'local');
    const { answer } = await enrolment.enrol({ token, publicKey: key.publicKey });
    assert.deepEqual(answer.nats, { via: 'direct', urls: cluster.urls });
    const link = { servers: cluster.urls, host: answer.host, key };
    await assert.rejects(WireAgent.connect(link), { kind: 'unavailable' });
    const agents = async (): Promise<readonly object[]> =>
      JSON.parse(await readFile(join(directory, 'agents.json'), 'utf8')).users;
    await cluster.letIn([hubUser, ...(await agents())]);
    await using agent = await WireAgent.connect(link);
    const { body } = await place.ask('POST', '/v1/operations', { body: { host: 'web-1', command: noop } });
    assert.deepEqual([body.operation.state, agent.started], ['SUCCEEDED', [body.operation.id]]);
    await place.ask('DELETE', '/v1/hosts/web-1');
    await cluster.letIn([hubUser, ...(await agents())]);
    await assert.rejects(connectNats({ servers: cluster.urls, key, name: 'removed' }), { kind: 'unavailable' });
  });
});

interface Cluster extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly servers: readonly ChildProcess[];
  /** Writes it into the configuration of each of them, and has them read it. */
  letIn(users: readonly object[]): Promise<void>;
}

/** Without `users` everybody may connect. */
async function startCluster(users?: readonly object[]): Promise<Cluster> {
  const directory = await mkdtemp(join(tmpdir(), 'fairlead-cluster-'));
  const [a = 0, b = 0, c = 0, ra = 0, rb = 0, rc = 0] = await freePorts(6);
  const routes = [ra, rb, rc].map((port) => `nats://127.0.0.1:${port}`);
  const configure = async (port: number, at: number, mayConnect: readonly object[] | undefined): Promise<string> => {
    const own = join(directory, String(at));
    await mkdir(own, { recursive: true });
    const accounts = { SITE: { jetstream: 'enabled', users: mayConnect }, SYS: {} };
    const config = {
      listen: `127.0.0.1:${port}`,
      server_name: `n${at}`,
      jetstream: { store_dir: own },
      cluster: { name: 'site', listen: `127.0.0.1:${[ra, rb, rc][at]}`, routes },
      ...(mayConnect === undefined ? {} : { accounts, system_account: 'SYS' }),
    };
    await writeFile(join(own, 'nats.json'), JSON.stringify(config));
    return own;
  };
  const servers = await Promise.all(
    [a, b, c].map(async (port, at) => {
      const own = await configure(port, at, users);
      return spawn('setpriv', ['--pdeathsig', 'KILL', 'nats-server', '-c', join(own, 'nats.json')], {
        stdio: 'ignore',
      });
    }),
  );
  // A leader has to be chosen before JetStream answers.
  await sleep(5_000);
  return {
    urls: [a, b, c].map((port) => `nats://127.0.0.1:${port}`),
    servers,
    letIn: async (mayConnect) => {
      await Promise.all([a, b, c].map((port, at) => configure(port, at, mayConnect)));
      for (const server of servers) server.kill('SIGHUP');
      // A reload says in the log alone when it is done.
      await sleep(2_000);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        servers.map(async (server) => {
          if (server.exitCode !== null || server.signalCode !== null) return;
          server.kill('SIGKILL');
          await once(server, 'exit');
        }),
      );
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePorts(count: number): Promise<readonly number[]> {
  const probes = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer().listen(0, '127.0.0.1');
      await once(probe, 'listening');
      return probe;
    }),
  );
  const ports = probes.map((probe) => {
    const address = probe.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  for (const probe of probes) probe.close();
  return ports;
}
