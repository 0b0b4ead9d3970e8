import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ECHOES_LINES } from '../programs.ts';
import { sessions } from '../sessions.ts';
import { WebSocketConnection } from '../web-socket.ts';

sessions('attach over a WebSocket', (session) => {
  const open = async (name: string, query: string): ReturnType<typeof WebSocketConnection.open> =>
    await WebSocketConnection.open(session.engine.socketPath, `/v1.41/containers/${name}/attach/ws?${query}`);

  it('begins with the handshake and nothing else', async () => {
    const name = await session.background();
    const { head, socket } = await open(name, 'stream=1');
    using _client = socket;
    assert.deepEqual(head.lines, [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    ]);
  });

  it('writes to the container and reads what it says, on both streams, without frames of Docker', async () => {
    const command = ['sh', '-c', 'while read -r line; do echo "got $line"; echo "err $line" >&2; done'];
    const name = await session.background(['-i'], command);
    using client = (await open(name, 'stream=1')).socket;
    await client.send('one\n');
    const said = await client.says(/got one\n[^]*err one\n|err one\n[^]*got one\n/);
    assert.equal(said.length, 'got one\nerr one\n'.length);
  });

  it('replays the log, and closes when the container ends', async () => {
    const name = await session.background(['-i'], ECHOES_LINES);
    using first = (await open(name, 'stream=1')).socket;
    await first.send('one\n');
    await first.says(/got one\n/);
    using second = (await open(name, 'stream=1&logs=1')).socket;
    await second.says(/got one\n/);
    await session.docker.ok('kill', name);
    // dockerd waits for its clients to close.
    for (const client of session.differs({ fairlead: [first, second], dockerd: [] })) {
      for (let message = await client.receive(); message !== undefined; message = await client.receive()) {
        assert.equal(message.kind, 'close');
      }
    }
  });

  it('shows the streams that were asked for since 1.42, all before', async () => {
    const name = await session.background(
      ['-i'],
      ['sh', '-c', 'read x; echo out; sleep 0.2; echo err >&2; sleep 1000'],
    );
    const saidAt = async (version: string): Promise<string> => {
      const path = `/v${version}/containers/${name}/attach/ws?stream=1&stdin=1&stderr=1`;
      using client = (await WebSocketConnection.open(session.engine.socketPath, path)).socket;
      await client.send('go\n');
      return await client.says(/err\n/);
    };
    const version = session.differs({ fairlead: '1.42', dockerd: '1.41' });
    assert.equal(await saidAt(version), session.differs({ fairlead: 'err\n', dockerd: 'out\nerr\n' }));
  });

  it('leaves the container its input when the client closes', async () => {
    const name = await session.background(['-i'], ECHOES_LINES);
    const { socket } = await open(name, 'stream=1');
    await socket.close();
    for (let message = await socket.receive(); message !== undefined; message = await socket.receive()) {
      assert.equal(message.kind, 'close');
    }
    using next = (await open(name, 'stream=1')).socket;
    await next.send('still\n');
    await next.says(/got still\n/);
  });

  it('answers a ping', async () => {
    const name = await session.background(['-i'], ECHOES_LINES);
    using client = (await open(name, 'stream=1')).socket;
    await client.ping('there?');
    assert.deepEqual(await client.receive(), { kind: 'pong', payload: 'there?' });
  });

  it('speaks to a terminal', async () => {
    const name = await session.background(['-it'], ['sh']);
    using client = (await open(name, 'stream=1')).socket;
    await client.send('stty -a | head -n 1; exit 7\n');
    await client.says(/speed \d+ baud/);
    assert.equal(await session.docker.ok('wait', name), '7');
  });

  it('refuses in HTTP what it can', async () => {
    const name = await session.background();
    const { status } = await session.ask('GET /v1.41/containers/nosuch/attach/ws');
    assert.equal(status, 404);
    const { head } = await open('nosuch', 'stream=1');
    assert.equal(head.status, 404);
    assert.equal((await session.ask(`GET /v1.41/containers/${name}/attach/ws`)).status, 400);
  });
});
