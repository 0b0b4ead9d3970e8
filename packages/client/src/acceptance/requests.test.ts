import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeEngine, json } from '../fake-engine.fixture.ts';

const SECRET = 'hunter2';

describe('acceptance: requests', () => {
  it('errorDetail after 200', async () => {
    const failure = { errorDetail: { message: 'no space left on device' }, error: 'no space left on device' };
    const lines = `${JSON.stringify({ status: 'Pulling', id: 'a' })}\r\n${JSON.stringify(failure)}\r\n`;
    const engine = new FakeEngine(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${lines.length}\r\n\r\n${lines}`);
    });
    await using client = await engine.client();
    await assert.rejects(Array.fromAsync(client.images.pull('busybox')), { message: 'no space left on device' });
  });

  it('a container called `../x?y`', async () => {
    const engine = new FakeEngine(({ socket }) => void socket.write(json('200 OK', { State: {}, Config: {} })));
    await using client = await engine.client();
    const verbs = [
      client.containers.inspect('../x?y'),
      client.containers.start('../x?y'),
      client.containers.stop('../x?y'),
      client.containers.remove('../x?y'),
    ];
    await Promise.allSettled(verbs);
    assert.ok(engine.requests.length >= 4);
    for (const { line } of engine.requests)
      assert.match(line, / \/v1\.44\/containers\/\.\.%2Fx%3Fy(\/[a-z]+)?(\?[a-z=]+)? HTTP/);
  });

  it('an Env secret appears in no request line', async () => {
    const engine = new FakeEngine(({ line, socket }) => {
      if (line.includes('/start ')) socket.end('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      else if (line.startsWith('POST')) socket.write(json('201 Created', { Id: '1', Warnings: [] }));
      else socket.write(json('200 OK', { Running: false, ExitCode: 0 }));
    });
    await using client = await engine.client();
    await client.containers.create({ Image: 'x', Env: [`PASSWORD=${SECRET}`] });
    await client.containers.exec('x', ['psql'], { env: [`PASSWORD=${SECRET}`] });
    const told = engine.requests.filter(({ body }) => body.includes(SECRET));
    assert.equal(told.length, 2);
    for (const { line, headers } of engine.requests) assert.ok(!`${line} ${JSON.stringify(headers)}`.includes(SECRET));
  });
});
