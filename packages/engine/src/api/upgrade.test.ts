import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'node:test';
import {
  containerEndpoints,
  EngineError,
  execEndpoints,
  FrameDecoder,
  parseDetachKeys,
  systemEndpoints,
} from '@fairlead/protocol';
import { route, type HijackReply, type Route, type SessionEnding } from './route.ts';
import { apiScene, type ApiScene } from './test/api-scene.ts';
import { settled } from './test/eventually.ts';
import { FakeSession } from './test/fake-session.ts';
import type { RawClient } from './test/raw-client.ts';

type Plan = Partial<Pick<HijackReply, 'framing' | 'streams' | 'detachKeys' | 'onHalfClose'>>;

const ALL = { stdin: true, stdout: true, stderr: true };
const EXEC_HEADERS =
  'Api-Version: 1.44\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Fairlead/0.1.0 (linux)\r\n\r\n';

interface Hijack extends AsyncDisposable {
  readonly scene: ApiScene;
  readonly session: FakeSession;
  /** Bodies that exec start was called with. */
  readonly bodies: unknown[];
  readonly endings: SessionEnding[];
  ended(): Promise<SessionEnding>;
}

async function hijack(plan: Plan = {}, open?: () => Promise<FakeSession>): Promise<Hijack> {
  const session = new FakeSession();
  const bodies: unknown[] = [];
  const endings: SessionEnding[] = [];
  const over = Promise.withResolvers<SessionEnding>();
  const reply = (head: 'exec' | 'attach'): HijackReply => ({
    kind: 'hijack',
    head,
    framing: 'stdcopy',
    streams: ALL,
    detachKeys: undefined,
    onHalfClose: 'end-input',
    ...plan,
    open: open ?? (async () => session),
    ended: (ending) => {
      endings.push(ending);
      over.resolve(ending);
    },
  });
  const routes: readonly Route[] = [
    route(execEndpoints.start, async (call) => {
      bodies.push(call.body);
      return reply('exec');
    }),
    route(containerEndpoints.attach, async () => reply('attach')),
    route(systemEndpoints.ping, async () => ({ kind: 'text', text: 'OK' })),
  ];
  const scene = await apiScene(routes);
  return {
    scene,
    session,
    bodies,
    endings,
    ended: () => over.promise,
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  };
}

const START = '{"Detach":false,"Tty":false}';

function startRequest(
  options: { readonly upgrade?: boolean; readonly body?: string; readonly version?: string } = {},
): string {
  const { upgrade = true, body = START, version = '/v1.44' } = options;
  const headers = ['Host: docker', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  if (upgrade) headers.push('Connection: Upgrade', 'Upgrade: tcp');
  return `POST ${version}/exec/e1/start HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}

const ATTACH =
  'POST /v1.44/containers/c/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n' +
  'Content-Type: text/plain\r\nContent-Length: 0\r\nUpgrade: tcp\r\n\r\n';

function frames(bytes: Uint8Array): string {
  const decoder = new FrameDecoder();
  const found = decoder.push(bytes).map(({ stream, bytes: payload }) => `${stream}:${Buffer.from(payload).toString()}`);
  decoder.end();
  return found.join('|');
}

describe('heads of hijacked streams', () => {
  const raw = 'application/vnd.docker.raw-stream';
  const multiplexed = 'application/vnd.docker.multiplexed-stream';
  const up = (type: string): string =>
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n`;
  const plain = `HTTP/1.1 200 OK\r\nContent-Type: ${raw}\r\n`;
  const cases: readonly {
    readonly name: string;
    readonly request: string;
    readonly plan?: Plan;
    readonly head: string;
  }[] = [
    { name: 'exec, upgraded', request: startRequest(), head: up(multiplexed) + EXEC_HEADERS },
    { name: 'exec, upgraded, before 1.42', request: startRequest({ version: '/v1.41' }), head: up(raw) + EXEC_HEADERS },
    {
      name: 'exec, upgraded, terminal',
      request: startRequest(),
      plan: { framing: 'raw' },
      head: up(raw) + EXEC_HEADERS,
    },
    { name: 'exec, not upgraded', request: startRequest({ upgrade: false }), head: plain + EXEC_HEADERS },
    { name: 'attach, upgraded', request: ATTACH, head: `${up(multiplexed)}\r\n` },
    { name: 'attach, terminal', request: ATTACH, plan: { framing: 'raw' }, head: `${up(raw)}\r\n` },
    {
      name: 'attach, not upgraded',
      request: ATTACH.replace('Connection: Upgrade\r\n', '').replace('Upgrade: tcp\r\n', ''),
      head: `${plain}\r\n`,
    },
  ];
  for (const { name, request, plan, head } of cases) {
    it(name, async () => {
      await using h = await hijack(plan);
      const client = h.scene.connect().send(request);
      assert.equal(await client.until('\r\n\r\n'), head);
    });
  }
});

describe('the request of a hijack', () => {
  const input = 'line one\nGET / HTTP/1.1\r\n\r\n';
  const chunked =
    'POST /v1.44/exec/e1/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '5;x=y\r\n{"Det\r\n17\r\nach":false,"Tty":false}\r\n0\r\nTrailer: 1\r\n\r\n';
  const cases = [
    { name: 'input in the same packet as the body, upgraded', pieces: [startRequest() + input] },
    { name: 'input in the same packet as the body, not upgraded', pieces: [startRequest({ upgrade: false }) + input] },
    { name: 'a chunked body with extension and trailer, input behind it', pieces: [chunked + input] },
    { name: 'every byte on its own', pieces: [...(startRequest() + input)] },
    { name: 'every byte of a chunked one on its own', pieces: [...(chunked + input)] },
    { name: 'a body cut in two', pieces: [startRequest().slice(0, -5), startRequest().slice(-5) + input] },
  ];
  for (const { name, pieces } of cases) {
    it(`${name}: body and input arrive whole`, async () => {
      await using h = await hijack();
      const client = h.scene.connect();
      client.socket.setNoDelay(true);
      for (const piece of pieces) {
        client.send(piece);
        if (pieces.length < 5) await delay(5);
        else await new Promise((resolve) => setImmediate(resolve));
      }
      await h.session.until(() => h.session.input.length >= input.length);
      assert.equal(h.session.input, input);
      assert.deepEqual(h.bodies, [{ Detach: false, Tty: false, ConsoleSize: null }]);
    });
  }

  it('after another request on the same connection', async () => {
    await using h = await hijack();
    const client = h.scene.connect().send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.answer();
    client.send(startRequest() + input);
    await h.session.until(() => h.session.input.length >= input.length);
    assert.equal(h.session.input, input);
  });

  it('with Expect: 100-continue is told to go on', async () => {
    await using h = await hijack();
    const [head = '', body = ''] = startRequest().split('\r\n\r\n');
    const client = h.scene.connect().send(`${head}\r\nExpect: 100-continue\r\n\r\n`);
    assert.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send(body);
    assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 101 UPGRADED/);
  });

  const refused = [
    { name: 'malformed JSON', request: startRequest({ body: '{"Detach":fal' }), status: 400 },
    { name: 'a malformed chunk', request: `${chunked.slice(0, -8)}zz\r\n`.replace('5;x=y', 'g;x=y'), status: 400 },
    {
      name: 'a body beyond the limit',
      request: startRequest().replace(/Content-Length: \d+/, 'Content-Length: 99999999'),
      status: 413,
    },
  ];
  for (const { name, request, status } of refused) {
    it(`${name} is answered with ${status}, once`, async () => {
      await using h = await hijack();
      const client = h.scene.connect().send(request);
      const answer = await client.answer();
      assert.equal(answer.status, status);
      assert.match(answer.body, /^\{"message":".+"\}\n$/);
      assert.deepEqual(h.scene.logged, ['api.request.refused']);
    });
  }

  it('cut off in the middle leaves nothing behind', async () => {
    await using h = await hijack();
    for (const cut of [20, 120, startRequest().length - 3]) {
      const client = h.scene.connect().send(startRequest().slice(0, cut));
      await delay(5);
      client.socket.destroy();
    }
    await delay(30);
    assert.deepEqual(h.bodies, []);
  });
});

describe('half-close', () => {
  it('ends the input, and output goes on until the process ends', async () => {
    await using h = await hijack();
    const client = h.scene.connect().send(`${startRequest()}abc`).halfClose();
    await client.until('\r\n\r\n');
    await h.session.until(() => h.session.inputEnded);
    assert.equal(h.session.input, 'abc');
    h.session.say('out');
    h.session.say('err', 'stderr');
    h.session.exit();
    assert.equal(frames(await client.toEnd()), 'stdout:out|stderr:err');
    assert.deepEqual(await h.ended(), { by: 'output-ended' });
  });

  it('closes the stream of a terminal at once, and the process hears nothing of it', async () => {
    await using h = await hijack({ framing: 'raw', onHalfClose: 'close-stream' });
    const client = h.scene.connect().send(startRequest()).halfClose();
    await client.until('\r\n\r\n');
    await client.toEnd();
    assert.deepEqual(await h.ended(), { by: 'input-ended' });
    assert.equal(h.session.inputEnded, false);
    assert.equal(h.session.disposed, true);
  });

  it('is ignored without stdin, and input is thrown away', async () => {
    await using h = await hijack({ streams: { stdin: false, stdout: true, stderr: true }, onHalfClose: 'ignore' });
    const client = h.scene.connect().send(`${startRequest()}nobody reads this`).halfClose();
    await client.until('\r\n\r\n');
    await delay(10);
    h.session.say('still here');
    h.session.exit();
    assert.equal(frames(await client.toEnd()), 'stdout:still here');
    assert.equal(h.session.input, '');
  });

  it('ends a session that has only stdin', async () => {
    await using h = await hijack({ streams: { stdin: true, stdout: false, stderr: false } });
    const client = h.scene.connect().send(`${startRequest()}abc`).halfClose();
    await client.until('\r\n\r\n');
    assert.equal((await client.toEnd()).length, 0);
    assert.deepEqual(await h.ended(), { by: 'input-ended' });
    assert.equal(h.session.input, 'abc');
    assert.equal(h.session.inputEnded, true);
  });

  it('is not waited for by a session with no streams', async () => {
    await using h = await hijack({ streams: { stdin: false, stdout: false, stderr: false }, onHalfClose: 'ignore' });
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    assert.equal((await client.toEnd()).length, 0);
  });
});

describe('output', () => {
  it('that was not asked for is not sent', async () => {
    await using h = await hijack({ streams: { stdin: false, stdout: false, stderr: true } });
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    h.session.say('no');
    h.session.say('yes', 'stderr');
    h.session.exit();
    assert.equal(frames(await client.toEnd()), 'stderr:yes');
  });

  it('of 10,000 small writes arrives as 10,000 frames in order', async () => {
    await using h = await hijack();
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    const lines = Array.from({ length: 10_000 }, (_, i) => `stdout:line ${i}`);
    for (const line of lines) h.session.say(line.slice('stdout:'.length));
    h.session.exit();
    assert.equal(frames(await client.toEnd()), lines.join('|'));
  });

  it('of a terminal is sent as it is', async () => {
    await using h = await hijack({ framing: 'raw' });
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    h.session.say('$ ');
    assert.equal((await client.bytes(2)).toString(), '$ ');
    h.session.exit();
    await client.toEnd();
  });

  it('waits for a client that does not read, in bounded memory, while others are served', async () => {
    await using h = await hijack();
    const client = h.scene.connect();
    client.send(startRequest());
    await client.until('\r\n\r\n');
    client.socket.pause();
    const chunk = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 200; i += 1) h.session.say(chunk);
    h.session.exit();
    const stalledAt = await settled(() => h.session.pulled);
    assert.ok(stalledAt < 20, `pulled ${stalledAt} chunks`);
    const other = h.scene.connect().send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal((await other.answer()).body, 'OK');
    assert.equal(h.session.pulled, stalledAt);
    client.socket.resume();
    assert.equal((await client.toEnd()).length, 200 * (chunk.length + 8));
  });

  it('ends with the stream although the client keeps its side open', async () => {
    await using h = await hijack();
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    h.session.exit();
    await client.toEnd();
    // Writes after the end succeed silently.
    client.send('too late');
    await delay(10);
    assert.equal(client.socket.destroyed, false);
    assert.equal(h.session.input, '');
  });

  it('that breaks is a failure with a name', async () => {
    await using h = await hijack();
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    h.session.fail(new Error('pipe broke'));
    await client.toEnd();
    assert.equal((await h.ended()).by, 'failed');
    assert.deepEqual(h.scene.logged, ['api.session.broke! Error: pipe broke']);
  });
});

describe('a session that cannot be opened', () => {
  const refuse = async (): Promise<FakeSession> => {
    throw new EngineError('invalid-argument', 'OCI runtime exec failed: no such file');
  };

  it('is a line of stdout in the stream', async () => {
    await using h = await hijack({}, refuse);
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    assert.equal(frames(await client.toEnd()), 'stdout:OCI runtime exec failed: no such file\r\n');
    assert.equal((await h.ended()).by, 'failed');
    assert.deepEqual(h.scene.operations[0]?.end, {
      outcome: 'failed',
      message: 'OCI runtime exec failed: no such file',
    });
  });

  it('is plain text on a terminal', async () => {
    await using h = await hijack({ framing: 'raw' }, refuse);
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    assert.equal((await client.toEnd()).toString(), 'OCI runtime exec failed: no such file\r\n');
  });
});

describe('detach keys', () => {
  const terminal: Plan = { framing: 'raw', onHalfClose: 'close-stream', detachKeys: parseDetachKeys('ctrl-p,ctrl-q') };

  it('end the stream, also when they arrive one by one', async () => {
    await using h = await hijack(terminal);
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    for (const key of ['a', '\x10', 'b', '\x10', '\x11', 'c']) {
      client.send(key);
      await delay(5);
    }
    await client.toEnd();
    assert.deepEqual(await h.ended(), { by: 'detach-keys' });
    assert.equal(h.session.input, 'a\x10b');
    assert.equal(h.session.inputEnded, false);
  });
});

describe('a client that vanishes', () => {
  it('is the end of input where half-close is', async () => {
    await using h = await hijack();
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    client.socket.destroy();
    await h.session.until(() => h.session.inputEnded);
    h.session.say('nobody reads this');
    assert.deepEqual(await h.ended(), { by: 'client-gone' });
    assert.equal(h.session.disposed, true);
  });

  it('while the session is being opened does not keep it', async () => {
    const session = new FakeSession();
    const opened = Promise.withResolvers<FakeSession>();
    await using h = await hijack({ onHalfClose: 'close-stream' }, () => opened.promise);
    const client = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    client.socket.destroy();
    await delay(10);
    opened.resolve(session);
    await h.ended();
    assert.equal(session.disposed, true);
  });

  it('while the process does not read is noticed at the next output', async () => {
    await using h = await hijack();
    const stall = Promise.withResolvers<void>();
    h.session.stalled = stall.promise;
    const client = h.scene.connect().send(`${startRequest()}abc`);
    await client.until('\r\n\r\n');
    client.socket.destroy();
    await delay(10);
    for (let i = 0; i < 3; i += 1) {
      h.session.say('x');
      await delay(5);
    }
    assert.deepEqual(await h.ended(), { by: 'client-gone' });
    stall.resolve();
  });
});

describe('draining', () => {
  it('ends sessions and resolves when every connection is closed', async () => {
    await using h = await hijack();
    const client: RawClient = h.scene.connect().send(startRequest());
    await client.until('\r\n\r\n');
    const closed = h.scene.api.close(5_000);
    assert.deepEqual(await h.ended(), { by: 'draining' });
    await client.toEnd();
    await closed;
  });
});
