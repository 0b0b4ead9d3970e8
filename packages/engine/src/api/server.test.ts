import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerEndpoints, EngineError, execEndpoints, systemEndpoints } from '@fairlead/protocol';
import { route } from './route.ts';
import { apiScene } from './test/api-scene.ts';

const ping = route(systemEndpoints.ping, async () => ({ kind: 'text', text: 'OK' }));
const pingHead = route(systemEndpoints.pingHead, async () => ({ kind: 'empty' }));

describe('createApi', () => {
  it('answers with the engine’s headers, in Docker’s order', async () => {
    await using scene = await apiScene([ping]);
    const client = scene.connect().send('GET /v1.44/_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    const { head, body } = await client.answer();
    assert.equal(
      head.replace(/Date: .*/, 'Date: now'),
      'HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Fairlead/0.1.0 (linux)\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nDate: now\r\n\r\n',
    );
    assert.equal(body, 'OK');
  });

  it('keeps a connection for request after request', async () => {
    await using scene = await apiScene([ping, pingHead]);
    const client = scene.connect();
    for (let i = 0; i < 3; i += 1) {
      client.send('HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.equal((await client.answer('HEAD')).headers.get('content-length'), '0');
      client.send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.equal((await client.answer()).body, 'OK');
    }
  });

  it('ignores an upgrade that an ordinary endpoint does not know, and keeps the connection', async () => {
    await using scene = await apiScene([ping]);
    const client = scene.connect();
    for (let i = 0; i < 2; i += 1) {
      client.send('GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n');
      assert.equal((await client.answer()).body, 'OK');
    }
  });

  it('gives a connection back to HTTP when a hijack endpoint answers with HTTP', async () => {
    const start = route(execEndpoints.start, async (call) => {
      if (call.param('id') === 'nosuch') throw new EngineError('not-found', 'No such exec instance: nosuch');
      return { kind: 'empty', status: 200 };
    });
    await using scene = await apiScene([ping, start]);
    const client = scene.connect();
    for (let i = 0; i < 3; i += 1) {
      client.send('POST /v1.44/exec/nosuch/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
      const refusal = await client.answer();
      assert.equal(refusal.status, 404);
      assert.equal(refusal.body, '{"message":"No such exec instance: nosuch"}\n');
      client.send('POST /v1.44/exec/e1/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"Detach":true}GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
      const detached = await client.answer();
      assert.equal(detached.status, 200);
      assert.equal(detached.headers.get('content-length'), '0');
      assert.equal((await client.answer()).body, 'OK');
    }
    assert.equal(scene.operations.length, 6);
  });

  void containerEndpoints;
});
