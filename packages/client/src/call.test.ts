import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from './acceptance/engines.fixture.ts';
import { ConnectionLostError, ProtocolError, RequestFailedError } from './errors.ts';
import { FakeEngine, json } from './fake-engine.fixture.ts';

describe('call', () => {
  const failures = [
    { status: '400 Bad Request', kind: 'invalid-argument' },
    { status: '404 Not Found', kind: 'not-found' },
    { status: '409 Conflict', kind: 'conflict' },
    { status: '500 Internal Server Error', kind: 'internal' },
    { status: '501 Not Implemented', kind: 'not-implemented' },
    { status: '502 Bad Gateway', kind: 'internal' },
    { status: '418 Teapot', kind: 'invalid-argument' },
  ] as const;
  for (const { status, kind } of failures) {
    it(`throws ${kind} with the engine's words for ${status}`, async () => {
      const engine = new FakeEngine(
        ({ socket }) => void socket.write(json(status, { message: 'No such container: x' })),
      );
      await using client = await engine.client();
      const verbs = [
        client.containers.inspect('x'),
        client.containers.start('x'),
        client.containers.pause('x'),
        client.containers.remove('x'),
        client.containers.wait('x'),
        client.images.inspect('x'),
        client.containers.spawn('x', ['ls']),
        client.containers.attach('x', { tty: false }),
      ];
      const isAsSaid = (error: Error): true => {
        assert.ok(error instanceof RequestFailedError);
        assert.deepEqual(
          [error.kind, error.status, error.message],
          [kind, Number(status.slice(0, 3)), 'No such container: x'],
        );
        return true;
      };
      await Promise.all(verbs.map((verb) => assert.rejects(verb, isAsSaid)));
    });
  }

  it('takes 304 as a result', async () => {
    const engine = new FakeEngine(({ socket }) => void socket.write('HTTP/1.1 304 Not Modified\r\n\r\n'));
    await using client = await engine.client();
    assert.equal((await client.containers.start('x')).changed, false);
  });

  it('takes a 500 that says that it is gone for not found, as Podman answers', async () => {
    const answer = json('500 Internal Server Error', {
      message: 'container ab does not exist in database: no such container',
    });
    await using client = await new FakeEngine(({ socket }) => void socket.write(answer)).client();
    await assert.rejects(client.containers.inspect('x'), { kind: 'not-found', status: 500 });
  });

  it('takes a plain-text failure as its words', async () => {
    const answer = 'HTTP/1.1 404 Not Found\r\nContent-Length: 21\r\n\r\nNo such container: x\n';
    await using client = await new FakeEngine(({ socket }) => void socket.write(answer)).client();
    await assert.rejects(client.containers.inspect('x'), { message: 'No such container: x' });
  });

  it('negotiates once, and uses one connection for calls in turn', async () => {
    const engine = new FakeEngine(({ socket }) => void socket.write(json('200 OK', [])));
    await using client = await engine.client();
    for (let turn = 0; turn < 3; turn += 1) await client.containers.list();
    assert.equal(engine.sockets.length, 1);
  });

  it('says that the connection was lost, and not that it cannot connect', async () => {
    const engine = new FakeEngine(({ socket }) => void socket.destroy());
    await using client = await engine.client();
    await assert.rejects(client.containers.start('x'), (error: Error) => {
      assert.ok(error instanceof ConnectionLostError);
      assert.doesNotMatch(error.message, /cannot connect/i);
      return true;
    });
  });

  it('says the same when an answer is cut off in its body', async () => {
    const cut = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Id":';
    const engine = new FakeEngine(({ socket }) => void socket.write(cut, () => socket.destroy()));
    await using client = await engine.client();
    await assert.rejects(client.containers.inspect('x'), ConnectionLostError);
  });

  it('does not hang when it is upgraded without having asked', async () => {
    const upgraded = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
    await using client = await new FakeEngine(({ socket }) => void socket.write(upgraded)).client();
    await assert.rejects(client.containers.start('x'), ConnectionLostError);
  });

  it('refuses what is not JSON', async () => {
    const engine = new FakeEngine(
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<ht>'),
    );
    await using client = await engine.client();
    await assert.rejects(client.containers.inspect('x'), ProtocolError);
  });

  it('sends a GET again when the idle connection had been closed, and never a POST', async () => {
    let calls = 0;
    const engine = new FakeEngine(({ socket }) => {
      calls += 1;
      if (calls === 2) socket.destroy();
      else socket.write(json('200 OK', []));
    });
    await using client = await engine.client();
    await client.containers.list();
    await client.containers.list();
    assert.equal(calls, 3);
    calls = 1;
    await assert.rejects(client.containers.pause('x'), ConnectionLostError);
    assert.equal(calls, 2);
  });

  it('rejects with the caller’s reason, and frees the connection', async () => {
    const engine = new FakeEngine(() => {});
    await using client = await engine.client();
    const caller = new AbortController();
    const asked = client.containers.inspect('x', { signal: caller.signal });
    assert.ok(await eventually(() => engine.requests.length === 1));
    caller.abort(new Error('I left'));
    await assert.rejects(asked, { message: 'I left' });
    assert.ok(await eventually(() => engine.sockets.every((socket) => socket.destroyed)));
  });
});
