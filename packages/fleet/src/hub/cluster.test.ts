import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HubPlace, runQueue } from './hub-place.fixture.ts';

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
});

interface Cluster extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly servers: readonly ChildProcess[];
}

async function startCluster(): Promise<Cluster> {
  const directory = await mkdtemp(join(tmpdir(), 'fairlead-cluster-'));
  const [a = 0, b = 0, c = 0, ra = 0, rb = 0, rc = 0] = await freePorts(6);
  const routes = [ra, rb, rc].map((port) => `nats://127.0.0.1:${port}`);
  const servers = await Promise.all(
    [a, b, c].map(async (port, at) => {
      const own = join(directory, String(at));
      await mkdir(own);
      const config = {
        listen: `127.0.0.1:${port}`,
        server_name: `n${at}`,
        jetstream: { store_dir: own },
        cluster: { name: 'site', listen: `127.0.0.1:${[ra, rb, rc][at]}`, routes },
      };
      await writeFile(join(own, 'nats.json'), JSON.stringify(config));
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
