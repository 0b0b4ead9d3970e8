import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { containerEndpoints, EngineError, execEndpoints, imageEndpoints } from '@fairlead/protocol';
import { route } from './route.ts';
import { apiScene } from './test/api-scene.ts';
import { eventually, settled } from './test/eventually.ts';
import { get, ping, post, slowStop } from './test/requests.ts';

describe('bytes that are no request', () => {
  const cases = [
    { name: 'garbage', bytes: '\x16\x03\x01\x02\x00 hello\r\n\r\n', status: 400 },
    { name: 'a head over the limit', bytes: `GET /_ping HTTP/1.1\r\nX: ${'a'.repeat(5_000)}\r\n\r\n`, status: 431 },
    {
      name: 'two lengths',
      bytes: 'POST /_ping HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      status: 400,
    },
    {
      name: 'a length and chunks',
      bytes: 'POST /_ping HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      status: 400,
    },
    { name: 'a head that takes too long', bytes: 'GET /_ping HT', status: 408 },
    { name: 'a tunnel', bytes: 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', status: 400 },
    { name: 'a space in the target', bytes: 'GET /a b HTTP/1.1\r\n\r\n', status: 400 },
  ];
  for (const { name, bytes, status } of cases) {
    it(`${name} are answered with ${status} once, and the connection closes`, async () => {
      await using scene = await apiScene([ping], { headBytes: 4_096, headMs: 100 });
      const client = scene.connect().send(bytes);
      const answer = await client.answer();
      assert.equal(answer.status, status);
      assert.match(answer.body, /^\{"message":".+"\}\n$/);
      assert.equal((await client.toEnd()).length, 0);
      assert.deepEqual(scene.logged, ['api.request.malformed']);
    });
  }

  it('behind a good request are refused after its answer', async () => {
    const { stop, answer, begun } = slowStop();
    await using scene = await apiScene([stop]);
    const client = scene.connect().send(`${post('/containers/c/stop')}\x00\x01garbage\r\n\r\n`);
    await begun;
    await delay(20);
    assert.equal(client.pending.length, 0);
    answer();
    assert.equal((await client.answer()).status, 204);
    assert.equal((await client.answer()).status, 400);
    await client.toEnd();
  });

  it('that never come leave a silent connection, which is closed without a word', async () => {
    await using scene = await apiScene([ping], { headMs: 50 });
    assert.equal((await scene.connect().toEnd()).length, 0);
    assert.deepEqual(scene.logged, []);
  });

  it('a flood of pipelined requests is cut', async () => {
    const { stop, answer } = slowStop();
    await using scene = await apiScene([stop], { pipelined: 8 });
    const client = scene.connect().send(post('/containers/c/stop').repeat(20));
    await client.toEnd();
    assert.equal(scene.logged[0], 'api.connection.flooded');
    answer();
  });
});

describe('bodies', () => {
  const bodies: unknown[] = [];
  const create = route(execEndpoints.create, async ({ body }) => {
    bodies.push(body.Cmd);
    return { kind: 'json', body: { Id: 'e1' } };
  });
  const path = '/v1.44/containers/c/exec';
  const cases = [
    { name: 'JSON', request: post(path, '{"cmd":["a"]}'), status: 201 },
    {
      name: 'JSON with a charset',
      request: post(path, '{"Cmd":["a"]}', 'application/json; charset=utf-8'),
      status: 201,
    },
    { name: 'nothing at all', request: post(path), status: 201 },
    {
      name: 'chunked JSON',
      request: `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{"Cmd":["a"]}\r\n0\r\n\r\n`,
      status: 201,
    },
    {
      name: 'text',
      request: post(path, '{}', 'text/plain'),
      status: 400,
      body: '{"message":"unsupported Content-Type header (text/plain): must be \'application/json\'"}\n',
    },
    {
      name: 'no type',
      request: `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`,
      status: 400,
      body: '{"message":"malformed Content-Type header (): mime: no media type"}\n',
    },
    {
      name: 'two documents',
      request: post(path, '{} {}'),
      status: 400,
      body: '{"message":"unexpected content after JSON"}\n',
    },
    {
      name: 'spaces alone',
      request: post(path, '   '),
      status: 400,
      body: '{"message":"invalid JSON: got EOF while reading request body"}\n',
    },
    {
      name: 'more than the limit',
      request: post(path, `{"Cmd":["${'a'.repeat(2_000)}"]}`),
      status: 413,
      body: '{"message":"request body is larger than 1024 bytes"}\n',
    },
    {
      name: 'more than the limit in chunks',
      request: `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`400\r\n${' '.repeat(1_024)}\r\n`.repeat(4)}0\r\n\r\n`,
      status: 413,
    },
  ];
  for (const { name, request, status, body } of cases) {
    it(`of ${name} → ${status}, and the connection lives on`, async () => {
      await using scene = await apiScene([create, ping], { bodyBytes: 1_024 });
      const client = scene.connect();
      const answer = await client.send(request).answer();
      if (body !== undefined) assert.equal(answer.body, body);
      assert.equal(answer.status, status);
      assert.equal((await client.send(get('/_ping')).answer()).body, 'OK');
    });
  }

  const announced = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 800000\r\n`;
  const lingering = [
    { name: 'of one who wants the connection closed', head: `${announced}Connection: close\r\n\r\n`, status: 413 },
    {
      name: 'of one who would take the connection over',
      head: announced.replace(path, '/v1.44/exec/e1/start').concat('Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n'),
      status: 413,
    },
    { name: 'behind a head over the limit', head: `GET /_ping HTTP/1.1\r\nX: ${'a'.repeat(200_000)}`, status: 431 },
  ];
  for (const { name, head, status } of lingering) {
    it(`${name} may come to their end after the refusal, and reset nothing`, async () => {
      const start = route(execEndpoints.start, async () => ({ kind: 'empty' }));
      await using scene = await apiScene([create, start], { bodyBytes: 1_024 });
      const client = scene.connect().send(head);
      assert.equal((await client.answer()).status, status);
      for (let sent = 0; sent < 800_000; sent += 100_000) {
        await delay(5);
        const taken = Promise.withResolvers<unknown>();
        client.socket.write(Buffer.alloc(100_000, ' '), taken.resolve);
        assert.ifError(await taken.promise);
      }
      client.halfClose();
      await client.toEnd();
      assert.equal(client.socket.errored, null);
    });

    it(`${name} are cut when they come for too long`, async () => {
      const start = route(execEndpoints.start, async () => ({ kind: 'empty' }));
      await using scene = await apiScene([create, start], { bodyBytes: 1_024, unreadBodyMs: 50 });
      const client = scene.connect().send(head);
      assert.equal((await client.answer()).status, status);
      await eventually(() => {
        client.send(' ');
        return client.socket.errored !== null;
      });
    });
  }

  it('that do not arrive are given up', async () => {
    await using scene = await apiScene([create], { bodyMs: 50, unreadBodyMs: 50 });
    const client = scene.connect().send(post(path, '{"Cmd":["a"]}').slice(0, -4));
    const answer = await client.answer();
    assert.equal(answer.body, '{"message":"request body did not arrive within 0.05 s"}\n');
    await client.toEnd();
  });

  it('cut by the client are no bug of the engine', async () => {
    await using scene = await apiScene([create]);
    const client = scene.connect().send(post(path, '{"Cmd":["a"]}').slice(0, -4));
    await delay(10);
    client.socket.destroy();
    await eventually(() => scene.logged.length > 0);
    await delay(10);
    assert.deepEqual(scene.logged, ['api.request.malformed']);
  });

  it('as a form hold query parameters', async () => {
    const queries: unknown[] = [];
    const stop = route(containerEndpoints.stop, async ({ query }) => {
      queries.push(query.t);
      return { kind: 'empty' };
    });
    await using scene = await apiScene([stop]);
    const client = scene.connect();
    await client.send(post('/containers/c/stop', 't=5', 'application/x-www-form-urlencoded')).answer();
    await client.send(post('/containers/c/stop?t=7')).answer();
    assert.deepEqual(queries, [5_000, 7_000]);
  });

  it('that nobody wants are thrown away', async () => {
    const lengths: unknown[] = [];
    const start = route(containerEndpoints.start, async ({ bodyLength }) => {
      lengths.push(bodyLength);
      return { kind: 'empty' };
    });
    await using scene = await apiScene([start, ping]);
    const client = scene.connect();
    await client.send(post('/containers/c/start', '{}', 'text/plain')).answer();
    await client
      .send('POST /containers/c/start HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
      .answer();
    assert.equal((await client.send(get('/_ping')).answer()).body, 'OK');
    assert.deepEqual(lengths, [2, 'chunked']);
  });

  it('of bytes are pulled: a handler that waits makes the client wait', async () => {
    const go = Promise.withResolvers<void>();
    let received = 0;
    const load = route(imageEndpoints.load, async ({ bytes }) => {
      await go.promise;
      for await (const chunk of bytes) received += chunk.byteLength;
      return { kind: 'json-stream', items: (async function* () {})() };
    });
    await using scene = await apiScene([load]);
    const size = 8 * 1024 * 1024;
    const client = scene.connect();
    client.send(
      `POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\nContent-Length: ${size}\r\n\r\n`,
    );
    client.send(Buffer.alloc(size));
    await settled(() => client.socket.writableLength);
    assert.ok(client.socket.writableLength > size / 2, 'the client was made to wait');
    go.resolve();
    await client.answer();
    assert.equal(received, size);
  });

  it('of bytes that were left half read do not kill the answer', async () => {
    const load = route(imageEndpoints.load, async ({ bytes }) => {
      for await (const _ of bytes) break;
      throw new EngineError('invalid-argument', 'no tar');
    });
    await using scene = await apiScene([load, ping]);
    const size = 1024 * 1024;
    const client = scene.connect();
    client.send(`POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`).send(Buffer.alloc(size));
    assert.equal((await client.answer()).status, 400);
    assert.equal((await client.send(get('/_ping')).answer()).body, 'OK');
  });
});
