import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from './acceptance/engines.fixture.ts';
import { connect } from './client.ts';
import { ProtocolError } from './errors.ts';
import { FakeEngine, json } from './fake-engine.fixture.ts';
import { parsePinnedVersion } from './negotiate.ts';
import { ScriptedServer } from './scripted-server.fixture.ts';

describe('Negotiation', () => {
  const versions = [
    { advertised: 'Api-Version: 1.41', spoken: '1.41' },
    { advertised: 'Api-Version: 1.51', spoken: '1.44' },
    { advertised: 'X: y', spoken: '1.24' },
  ];
  for (const { advertised, spoken } of versions) {
    it(`speaks ${spoken} with an engine that says ${advertised}`, async () => {
      await using server = await ScriptedServer.open(
        () => `HTTP/1.1 200 OK\r\n${advertised}\r\nContent-Length: 0\r\n\r\n`,
      );
      await using client = await connect({ host: server.host, env: {} });
      assert.equal((await client.traits()).apiVersion, spoken);
    });
  }

  it('knows podman, and Fairlead, by what they say of themselves', async () => {
    const podman = 'Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\nServer: Libpod/4.3.1 (linux)';
    for (const [says, isPodman, isFairlead] of [
      [podman, true, false],
      ['Server: Fairlead/0.1.0', false, true],
      ['Server: Docker/28.2.2 (linux)', false, false],
    ] as const) {
      await using server = await ScriptedServer.open(() => `HTTP/1.1 200 OK\r\n${says}\r\nContent-Length: 0\r\n\r\n`);
      await using client = await connect({ host: server.host, env: {} });
      const traits = await client.traits();
      assert.deepEqual({ isPodman: traits.isPodman, isFairlead: traits.isFairlead }, { isPodman, isFairlead });
    }
  });

  it('asks again when the engine was replaced by one of another version', async () => {
    let version = '1.44';
    const lines: string[] = [];
    const answer = (line: string): string => {
      lines.push(line);
      return `HTTP/1.1 200 OK\r\nApi-Version: ${version}\r\nContent-Length: 2\r\n\r\n${line.startsWith('HEAD') ? '' : '[]'}`;
    };
    await using server = await ScriptedServer.open(answer);
    await using client = await connect({ host: server.host, env: {} });
    await client.containers.list();
    await client.containers.list();
    await server.restart(() => {
      version = '1.41';
    });
    await client.containers.list();
    const asked = lines.map((line) => line.split(' ').slice(0, 2).join(' ').replace(/\?.*/, ''));
    const list = (spoken: string): string => `GET /v${spoken}/containers/json`;
    assert.deepEqual(asked, ['HEAD /_ping', list('1.44'), list('1.44'), 'HEAD /_ping', list('1.41')]);
  });

  it('speaks the version it was told to, by an option or DOCKER_API_VERSION', async () => {
    const engine = new FakeEngine(({ socket }) => void socket.write(json('200 OK', [])));
    await using first = await connect({ transport: engine, env: { DOCKER_API_VERSION: 'v1.30' } });
    await first.containers.list();
    await using second = await connect({ transport: engine, apiVersion: '1.31', env: { DOCKER_API_VERSION: '1.30' } });
    await second.containers.list();
    assert.match(engine.requests[0]?.line ?? '', / \/v1\.30\//);
    assert.match(engine.requests[1]?.line ?? '', / \/v1\.31\//);
  });

  it('pings by GET where HEAD is refused', async () => {
    const answer = (line: string): string =>
      line.startsWith('HEAD')
        ? 'HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 3\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 2\r\n\r\nOK';
    await using server = await ScriptedServer.open(answer);
    await using client = await connect({ host: server.host, env: {} });
    assert.equal((await client.traits()).apiVersion, '1.40');
  });

  it('says that what answers is no engine, in the words of what answers', async () => {
    const answer = (line: string): string =>
      `HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n${line.startsWith('HEAD') ? '' : 'not here\n'}`;
    await using server = await ScriptedServer.open(answer);
    await using client = await connect({ host: server.host, env: {} });
    await assert.rejects(client.containers.list(), (error: Error) => {
      assert.ok(error instanceof ProtocolError);
      assert.match(error.message, /What answers at unix:\S+ does not seem .* 404, "not here"/);
      return true;
    });
  });

  it('gives up a ping when nobody waits for it, and pings anew for the next one', async () => {
    let isSilent = true;
    await using server = await ScriptedServer.open(() =>
      isSilent ? '' : 'HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 0\r\n\r\n',
    );
    await using client = await connect({ host: server.host, env: {} });
    const caller = new AbortController();
    const asked = client.containers.list({ signal: caller.signal });
    assert.ok(await eventually(() => server.connections === 1));
    caller.abort(new Error('I left'));
    await assert.rejects(asked, { message: 'I left' });
    assert.ok(await eventually(() => server.connections === 0));
    isSilent = false;
    assert.equal((await client.traits()).apiVersion, '1.40');
  });
});

describe('parsePinnedVersion', () => {
  for (const text of ['', '1', '1.44.1', '1.44/x', 'latest']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePinnedVersion(text), { kind: 'invalid-argument' });
    });
  }
});
