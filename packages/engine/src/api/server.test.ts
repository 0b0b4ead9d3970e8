import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { containerEndpoints, EngineError, execEndpoints, systemEndpoints } from '@fairlead/protocol';
import { route } from './route.ts';
import { apiScene } from './test/api-scene.ts';
import { eventually, settled } from './test/eventually.ts';
import { endlessWait, get, ping, pingHead, post, slowStop } from './test/requests.ts';

describe('answers', () => {
  it('carry the engine’s headers, in Docker’s order', async () => {
    await using scene = await apiScene([ping]);
    const client = scene.connect().send(get('/v1.44/_ping'));
    const { head, body } = await client.answer();
    assert.equal(
      head.replace(/Date: .*/, 'Date: now'),
      'HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Fairlead/0.1.0 (linux)\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nDate: now\r\n\r\n',
    );
    assert.equal(body, 'OK');
  });

  it('come over one connection, request after request', async () => {
    await using scene = await apiScene([ping, pingHead]);
    const client = scene.connect();
    for (let i = 0; i < 3; i += 1) {
      client.send('HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.equal((await client.answer('HEAD')).headers.get('content-length'), '0');
      client.send(get('/_ping'));
      assert.equal((await client.answer()).body, 'OK');
    }
  });

  it('come in order, and one after the other, when requests are pipelined', async () => {
    const { stop, answer, begun } = slowStop();
    let pinged = false;
    const noticed = route(systemEndpoints.ping, async () => {
      pinged = true;
      return { kind: 'text', text: 'OK' };
    });
    await using scene = await apiScene([stop, noticed]);
    const client = scene.connect().send(post('/containers/c/stop') + get('/_ping'));
    await begun;
    await delay(20);
    assert.equal(pinged, false);
    answer();
    assert.equal((await client.answer()).status, 204);
    assert.equal((await client.answer()).body, 'OK');
  });

  it('of 204 and 304 have neither body nor length', async () => {
    const stop = route(containerEndpoints.stop, async () => ({ kind: 'empty' }));
    const start = route(containerEndpoints.start, async () => {
      throw new EngineError('not-modified', 'container is already running');
    });
    await using scene = await apiScene([stop, start]);
    const client = scene.connect();
    for (const [verb, status] of [
      ['stop', 204],
      ['start', 304],
    ] as const) {
      const answer = await client.send(post(`/containers/c/${verb}`)).answer();
      assert.equal(answer.status, status);
      assert.equal(answer.headers.has('content-length'), false);
      assert.equal(answer.headers.has('content-type'), false);
    }
    assert.deepEqual(scene.logged, []);
  });

  it('in JSON end with a line and have exactly Docker’s content type', async () => {
    const list = route(containerEndpoints.list, async () => ({ kind: 'json', body: [] }));
    await using scene = await apiScene([list]);
    const answer = await scene.connect().send(get('/containers/json')).answer();
    assert.equal(answer.body, '[]\n');
    assert.equal(answer.headers.get('content-type'), 'application/json');
  });

  it('close the connection for HTTP/1.0 and for `Connection: close`', async () => {
    await using scene = await apiScene([ping]);
    for (const request of ['GET /_ping HTTP/1.0\r\n\r\n', get('/_ping', 'Connection: close')]) {
      const client = scene.connect().send(request);
      assert.match((await client.answer()).head, /Connection: close\r\n/);
      await client.toEnd();
    }
  });

  it('ignore an upgrade that an ordinary endpoint does not know', async () => {
    await using scene = await apiScene([ping]);
    const client = scene.connect();
    for (let i = 0; i < 2; i += 1) {
      client.send(get('/_ping', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'));
      assert.equal((await client.answer()).body, 'OK');
    }
  });

  it('of hijack endpoints that answer with HTTP give the connection back', async () => {
    const start = route(execEndpoints.start, async (call) => {
      if (call.param('id') === 'nosuch') throw new EngineError('not-found', 'No such exec instance: nosuch');
      return { kind: 'empty', status: 200 };
    });
    await using scene = await apiScene([ping, start]);
    const client = scene.connect();
    for (let i = 0; i < 12; i += 1) {
      const refusal = await client.send(post('/v1.44/exec/nosuch/start', '{}')).answer();
      assert.equal(refusal.status, 404);
      assert.equal(refusal.body, '{"message":"No such exec instance: nosuch"}\n');
      const detached = await client.send(post('/v1.44/exec/e1/start', '{"Detach":true}') + get('/_ping')).answer();
      assert.equal(detached.status, 200);
      assert.equal(detached.headers.get('content-length'), '0');
      assert.equal((await client.answer()).body, 'OK');
    }
  });
});

describe('refusals', () => {
  const broken = route(containerEndpoints.inspect, async () => {
    throw new Error('Cannot read the record', { cause: new EngineError('conflict', 'inner') });
  });
  const bug = route(containerEndpoints.top, async () => {
    throw new TypeError('undefined is not a function');
  });
  const cases = [
    {
      name: 'an unknown path',
      request: get('/nosuch'),
      status: 404,
      body: '{"message":"page not found"}\n',
      bare: true,
    },
    {
      name: 'a known path with another method',
      request: post('/_ping'),
      status: 404,
      body: '{"message":"page not found"}\n',
      bare: true,
    },
    {
      name: 'an unknown path under a bad version',
      request: get('/v1.99/nosuch'),
      status: 404,
      body: '{"message":"page not found"}\n',
      bare: true,
    },
    {
      name: 'letters for a version',
      request: get('/vx/_ping'),
      status: 404,
      body: '{"message":"page not found"}\n',
      bare: true,
    },
    {
      name: 'a version that is too new',
      request: get('/v1.99/_ping'),
      status: 400,
      body: '{"message":"client version 1.99 is too new. Maximum supported API version is 1.44"}\n',
    },
    {
      name: 'a version that is too old, in plain text',
      request: get('/v1.11/_ping'),
      status: 400,
      body: 'client version 1.11 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n',
    },
    {
      name: 'a broken escape',
      request: get('/containers/%zz/json'),
      status: 400,
      body: '{"message":"invalid URL escape in \\"/containers/%zz/json\\""}\n',
    },
    {
      name: 'the first EngineError among the causes',
      request: get('/containers/c/json'),
      status: 409,
      body: '{"message":"Cannot read the record"}\n',
    },
    {
      name: 'a bug',
      request: get('/containers/c/top'),
      status: 500,
      body: '{"message":"undefined is not a function"}\n',
    },
    {
      name: 'what Docker has and this engine has not',
      request: post('/v1.44/volumes/create', '{}'),
      status: 501,
      body: '{"message":"\\"POST /volumes/create\\" is not implemented by this engine yet"}\n',
    },
    {
      name: 'a swarm’s',
      request: get('/v1.44/services'),
      status: 503,
      body: '{"message":"This node is not a swarm manager. Use \\"docker swarm init\\" or \\"docker swarm join\\" to connect this node to swarm and try again."}\n',
    },
    {
      name: 'a volume that nobody can have',
      request: get('/volumes/x'),
      status: 404,
      body: '{"message":"get x: no such volume"}\n',
    },
  ];
  for (const { name, request, status, body, bare = false } of cases) {
    it(`of ${name}`, async () => {
      await using scene = await apiScene([ping, broken, bug]);
      const client = scene.connect();
      const answer = await client.send(request).answer();
      assert.equal(answer.body, body);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.has('api-version'), !bare && !name.includes('escape'));
      assert.equal(scene.logged.length, 1);
      assert.equal((await client.send(get('/_ping')).answer()).body, 'OK');
    });
  }

  it('of a version come without Docker-Experimental', async () => {
    await using scene = await apiScene([ping]);
    const { headers } = await scene.connect().send(get('/v1.11/_ping')).answer();
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(headers.has('docker-experimental'), false);
    assert.equal(headers.get('api-version'), '1.44');
  });

  it('that cannot be written end the connection, and the engine goes on', async () => {
    const odd = route(containerEndpoints.inspect, async (call) => {
      call.setHeader('X-Odd', 'two\nlines');
      return { kind: 'empty' };
    });
    await using scene = await apiScene([odd, ping]);
    assert.equal((await scene.connect().send(get('/containers/c/json')).toEnd()).length, 0);
    assert.match(scene.logged[1] ?? '', /^api\.answer\.failed! .*Invalid character in header/);
    assert.equal((await scene.connect().send(get('/_ping')).answer()).body, 'OK');
  });

  it('of HEAD have headers and no body', async () => {
    await using scene = await apiScene([ping, pingHead]);
    const client = scene.connect().send('HEAD /info HTTP/1.1\r\nHost: x\r\n\r\n');
    const { status, headers } = await client.answer('HEAD');
    assert.equal(status, 404);
    assert.equal(headers.get('content-length'), '29');
    assert.equal((await client.send(get('/_ping')).answer()).body, 'OK');
  });

  it('are none for OPTIONS and for plugins', async () => {
    await using scene = await apiScene([ping]);
    const client = scene.connect();
    const options = await client.send('OPTIONS /v1.44/anything HTTP/1.1\r\nHost: x\r\n\r\n').answer();
    assert.equal(`${options.status} ${options.headers.get('content-length')}`, '200 0');
    assert.equal((await client.send(get('/v1.44/plugins')).answer()).body, '[]\n');
  });
});

describe('streams', () => {
  it('send their head before the first item', async () => {
    const first = Promise.withResolvers<void>();
    const wait = route(containerEndpoints.wait, async () => ({
      kind: 'json-stream',
      items: (async function* () {
        await first.promise;
        yield { StatusCode: 4 };
      })(),
    }));
    await using scene = await apiScene([wait, ping]);
    const client = scene.connect().send(post('/containers/c/wait'));
    assert.match(
      await client.until('\r\n\r\n'),
      /Content-Type: application\/json\r\nDate: .*\r\nTransfer-Encoding: chunked\r\n\r\n$/,
    );
    first.resolve();
    assert.equal(await client.until('0\r\n\r\n'), '11\r\n{"StatusCode":4}\n\r\n0\r\n\r\n');
    assert.equal((await client.send(get('/_ping')).answer()).body, 'OK');
  });

  it('that fail after their head are cut, so that they do not look whole', async () => {
    const wait = route(containerEndpoints.wait, async () => ({
      kind: 'json-stream',
      items: (async function* () {
        yield { StatusCode: 1 };
        throw new Error('disk on fire');
      })(),
    }));
    await using scene = await apiScene([wait]);
    const client = scene.connect().send(post('/containers/c/wait'));
    const all = (await client.toEnd()).toString();
    assert.equal(all.endsWith('0\r\n\r\n'), false);
    assert.deepEqual(scene.logged, ['api.request.failed! Error: disk on fire']);
  });

  it('wait for a client that does not read', async () => {
    let pulled = 0;
    const logs = route(containerEndpoints.logs, async () => ({
      kind: 'bytes',
      contentType: 'application/vnd.docker.raw-stream',
      chunks: (async function* () {
        for (; pulled < 400; pulled += 1) yield Buffer.alloc(64 * 1024, pulled);
      })(),
    }));
    await using scene = await apiScene([logs, ping]);
    const client = scene.connect().send(get('/containers/c/logs?stdout=1'));
    await client.until('\r\n\r\n');
    client.socket.pause();
    const stalledAt = await settled(() => pulled);
    assert.ok(stalledAt < 60, `pulled ${stalledAt}`);
    client.socket.destroy();
  });

  it('release their items when the client goes', async () => {
    const released = Promise.withResolvers<void>();
    const logs = route(containerEndpoints.logs, async ({ hangup }) => ({
      kind: 'bytes',
      contentType: 'x/y',
      chunks: (async function* () {
        try {
          await new Promise((_, reject) =>
            hangup.addEventListener('abort', () => reject(hangup.reason as Error), { once: true }),
          );
          yield Buffer.alloc(0);
        } finally {
          released.resolve();
        }
      })(),
    }));
    await using scene = await apiScene([logs]);
    const client = scene.connect().send(get('/containers/c/logs'));
    await client.until('\r\n\r\n');
    client.socket.destroy();
    await released.promise;
    await delay(10);
    assert.deepEqual(scene.logged, []);
  });
});

describe('a client that leaves', () => {
  it('by half-closing on a wait is told so, and the stream ends properly', async () => {
    await using scene = await apiScene([endlessWait]);
    const client = scene.connect().send(post('/containers/c/wait'));
    await client.until('\r\n\r\n');
    client.halfClose();
    assert.match((await client.toEnd()).toString(), /"Message":"half-closed".*\r\n0\r\n\r\n$/s);
  });

  it('by half-closing on a stop still gets its answer, and the ledger knows', async () => {
    const { stop, answer, begun } = slowStop();
    await using scene = await apiScene([stop]);
    const client = scene.connect().send(post('/containers/c/stop'));
    await begun;
    client.halfClose();
    await eventually(() => scene.operations[0]?.left === true);
    assert.equal(scene.operations[0]?.end, undefined);
    answer();
    assert.equal((await client.answer()).status, 204);
    await client.toEnd();
  });

  it('for good leaves its stop running to its end', async () => {
    const { stop, answer, begun } = slowStop();
    await using scene = await apiScene([stop]);
    const client = scene.connect().send(post('/containers/c/stop'));
    await begun;
    client.socket.destroy();
    await eventually(() => scene.operations[0]?.left === true);
    answer();
    await eventually(() => scene.operations[0]?.end !== undefined);
    assert.deepEqual(scene.operations[0]?.end, { outcome: 'succeeded' });
    assert.deepEqual(scene.logged, []);
  });

  it('after its answer has not left', async () => {
    const { stop, answer } = slowStop();
    answer();
    await using scene = await apiScene([stop]);
    const client = scene.connect().send(post('/containers/c/stop'));
    await client.answer();
    client.halfClose();
    await client.toEnd();
    assert.equal(scene.operations[0]?.left, false);
  });
});

describe('operations', () => {
  it('are begun with caller and budget, and named in the answer', async () => {
    const stop = route(containerEndpoints.stop, async ({ operation }) => {
      operation?.bound(20_000);
      return { kind: 'empty' };
    });
    await using scene = await apiScene([stop, ping]);
    const client = scene.connect();
    const request = post('/containers/c/stop').replace(
      'Host: x',
      'Host: x\r\nUser-Agent: test/1\r\nFairlead-Budget: 5000\r\nFairlead-Operation: 0123456789abcdef',
    );
    const { headers } = await client.send(request).answer();
    assert.equal(headers.get('fairlead-operation'), 'op1');
    assert.match(headers.get('fairlead-warning') ?? '', /may take up to 20\.0 s, longer than the budget of 5\.0 s/);
    const { wantedId, verb, caller, budgetMs, end } = scene.operations[0] ?? assert.fail();
    assert.deepEqual(
      { wantedId, verb, caller, budgetMs, end },
      {
        wantedId: '0123456789abcdef',
        verb: 'stop',
        caller: { userAgent: 'test/1', peer: { pid: 1, uid: 2, gid: 3 }, address: undefined },
        budgetMs: 5_000,
        end: { outcome: 'succeeded' },
      },
    );
    assert.equal((await client.send(get('/_ping')).answer()).headers.has('fairlead-operation'), false);
  });

  it('end with what became of them, and are none when the request was refused', async () => {
    const stop = route(containerEndpoints.stop, async (call) => {
      call.setHeader('Fairlead-Outcome', 'already-stopped; took-ms=0');
      throw new EngineError('not-modified', 'container is not running');
    });
    const kill = route(containerEndpoints.kill, async () => {
      throw new EngineError('conflict', 'cannot kill');
    });
    await using scene = await apiScene([stop, kill]);
    const client = scene.connect();
    const stopped = await client.send(post('/containers/c/stop')).answer();
    assert.equal(stopped.headers.get('fairlead-outcome'), 'already-stopped; took-ms=0');
    await client.send(post('/containers/c/kill')).answer();
    assert.equal((await client.send(post('/containers/c/stop?t=abc')).answer()).status, 400);
    assert.deepEqual(
      scene.operations.map(({ end }) => end),
      [{ outcome: 'not-modified' }, { outcome: 'failed', message: 'cannot kill' }],
    );
  });
});

describe('listening', () => {
  it('makes a socket of mode 0660, refuses one that is in use, and takes one that is stale', async () => {
    await using scene = await apiScene([ping]);
    assert.equal((await stat(scene.path)).mode & 0o777, 0o660);
    await using other = await apiScene([ping]);
    await assert.rejects(other.api.listen({ kind: 'unix', path: scene.path }), /another engine is listening on/);
  });

  it('on TCP tells its port, keeps to loopback and knows the caller’s address', async () => {
    const { stop, answer } = slowStop();
    answer();
    await using scene = await apiScene([stop]);
    const address = await scene.api.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert.ok(address.kind === 'tcp' && address.port > 0);
    const response = await fetch(`http://127.0.0.1:${address.port}/containers/c/stop`, { method: 'POST' });
    assert.equal(response.status, 204);
    assert.match(scene.operations[0]?.caller.address ?? '', /^127\.0\.0\.1:\d+$/);
  });
});

describe('closing', () => {
  it('lets a stop finish, ends streams, and closes idle connections', async () => {
    const { stop, answer, begun } = slowStop();
    await using scene = await apiScene([stop, endlessWait, ping]);
    const idle = scene.connect().send(get('/_ping'));
    await idle.answer();
    const waiting = scene.connect().send(post('/containers/c/wait'));
    await waiting.until('\r\n\r\n');
    const stopping = scene.connect().send(post('/containers/c/stop'));
    await begun;
    const closed = scene.api.close(5_000);
    assert.match((await waiting.toEnd()).toString(), /draining.*0\r\n\r\n$/s);
    await idle.toEnd();
    await delay(10);
    answer();
    assert.match((await stopping.answer()).head, /204 No Content\r\n.*Connection: close\r\n/s);
    await closed;
  });

  it('cuts what does not end in time', async () => {
    const { stop, answer, begun } = slowStop();
    await using scene = await apiScene([stop]);
    const client = scene.connect().send(post('/containers/c/stop'));
    await begun;
    await scene.api.close(30);
    await client.toEnd();
    answer();
  });
});
