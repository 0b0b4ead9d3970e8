import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../eventually.ts';
import { RawConnection } from '../raw-http.ts';
import { sessions, type Session } from '../sessions.ts';

interface Inspected {
  readonly HostConfig: { readonly AutoRemove: boolean; readonly IpcMode: string };
}

/** Made at a version, and told by the newest. */
async function made(session: Session, version: string): Promise<Inspected['HostConfig']> {
  const json = { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none', AutoRemove: true } };
  const { body } = await session.ask(`POST /v${version}/containers/create`, { json });
  const { Id } = JSON.parse(body) as { readonly Id: string };
  return (JSON.parse((await session.ask(`GET /containers/${Id}/json`)).body) as Inspected).HostConfig;
}

sessions('what depends on the version that a client speaks', (session) => {
  it('a path without a version is of the newest', async () => {
    const hasVirtualSize = async (prefix: string): Promise<boolean> =>
      (await session.ask(`GET ${prefix}/images/json`)).body.includes('VirtualSize');
    assert.equal(await hasVirtualSize('/v1.41'), true);
    assert.equal(await hasVirtualSize(''), session.differs({ fairlead: false, dockerd: true }));
  });

  it('before 1.25 the client removes containers, before 1.40 their shared memory can be joined', async () => {
    const { AutoRemove, IpcMode } = await made(session, '1.24');
    assert.deepEqual([AutoRemove, IpcMode], [false, 'shareable']);
    const { AutoRemove: itself, IpcMode: shared } = await made(session, '1.39');
    assert.deepEqual([itself, shared], [true, 'shareable']);
    assert.equal((await made(session, '1.40')).IpcMode, 'private');
  });

  it('before 1.30 a wait has no conditions, and its head comes with its answer', async () => {
    const name = await session.background([], ['sh', '-c', 'until [ -e /go ]; do sleep 0.05; done; exit 4']);
    using waiting = await RawConnection.open(session.engine.socketPath);
    await waiting.request(`POST /v1.29/containers/${name}/wait?condition=bogus`, 'Content-Length: 0');
    const head = waiting.head();
    const earlier = await Promise.race([head, session.docker.ok('exec', name, 'touch', '/go')]);
    assert.equal(earlier, '');
    const { status, lines } = await head;
    assert.equal(status, 200);
    assert.ok(lines.some((line) => line.startsWith('Content-Length: ')));
    assert.match(String(await waiting.read()), /"StatusCode":4/);
  });

  it('before 1.40 an update says nothing of processes', async () => {
    const name = await session.background();
    for (const [version, limit] of [
      ['1.39', 'null'],
      ['1.40', '33'],
    ] as const) {
      const json = { PidsLimit: 33, CpuShares: 99 };
      assert.equal((await session.ask(`POST /v${version}/containers/${name}/update`, { json })).status, 200);
      assert.equal(
        await session.inspect(name, '{{json .HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}'),
        `${limit} 99`,
      );
    }
  });

  it('before 1.42 a stop has no signal, since then it has', async () => {
    const traps = ['sh', '-c', 'trap "exit 5" INT; trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done'];
    const codes: readonly (readonly [string, number])[] = [
      ['1.41', 7],
      ['1.42', 5],
    ];
    for (const [version, code] of codes.slice(0, session.differs({ fairlead: 2, dockerd: 1 }))) {
      const name = await session.background([], traps);
      await eventually(async () => await session.docker.ok('logs', name), 'ready');
      assert.equal((await session.ask(`POST /v${version}/containers/${name}/stop?signal=INT`)).status, 204);
      assert.equal(await session.inspect(name, '{{.State.ExitCode}}'), String(code));
    }
  });

  it('since 1.42 logs say whether they are framed', async () => {
    const [name, terminal] = [await session.background(), await session.background(['-t'])];
    const typeOf = async (path: string): Promise<string | undefined> =>
      (await session.ask(`GET ${path}/logs?stdout=1`)).headers['content-type'];
    const [raw, multiplexed] = ['raw', 'multiplexed'].map((kind) => `application/vnd.docker.${kind}-stream`);
    const none = undefined;
    const asked = [`/v1.41/containers/${name}`, `/containers/${name}`, `/containers/${terminal}`];
    assert.deepEqual(
      await Promise.all(asked.map(typeOf)),
      session.differs({ fairlead: [raw, multiplexed, raw], dockerd: [none, none, none] }),
    );
  });
});

sessions('a client that half-closes an ordinary request', (session) => {
  const LISTENING: readonly { readonly target: string; readonly says: RegExp }[] = [
    { target: 'POST /containers/REF/wait', says: /"Message":"context canceled"/ },
    { target: 'GET /containers/REF/logs?stdout=1&follow=1', says: /^0/ },
    { target: 'GET /containers/REF/stats', says: /^/ },
    { target: 'GET /events?filters=%7B%22type%22%3A%5B%22daemon%22%5D%7D', says: /^0/ },
  ];
  for (const { target, says } of LISTENING) {
    it(`is told the head of ${target}, and the end when it goes, whole`, async () => {
      const name = await session.background();
      using client = await RawConnection.open(session.engine.socketPath);
      await client.request(target.replace('REF', name), 'Content-Length: 0');
      assert.equal((await client.head()).status, 200);
      client.halfClose();
      const rest = Buffer.concat(await Array.fromAsync(client.rest())).toString();
      assert.match(rest, says);
      assert.match(rest, /0\r\n\r\n$/);
      assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    });
  }

  for (const { target, left } of [
    { target: 'POST /containers/REF/kill', left: '"Status":"exited"' },
    { target: 'DELETE /containers/REF?force=1', left: 'No such container' },
  ]) {
    it(`has ${target} done, also when it is gone altogether`, async () => {
      const name = await session.background();
      using client = await RawConnection.open(session.engine.socketPath);
      await client.request(target.replace('REF', name), 'Content-Length: 0');
      client[Symbol.dispose]();
      const after = async (): Promise<boolean> =>
        (await session.ask(`GET /containers/${name}/json`)).body.includes(left);
      await eventually(after, true);
    });
  }
});
