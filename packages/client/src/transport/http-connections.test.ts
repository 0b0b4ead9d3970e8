import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { eventually } from '../acceptance/engines.fixture.ts';
import { type FakeAnswer, FakeEngine, json } from '../fake-engine.fixture.ts';
import { IDLE_MAX, UNANSWERED_MAX } from './connection-pool.ts';
import { HttpConnections } from './http-connections.ts';
import type { HttpRequest } from './http-head.ts';
import type { Transport } from './transport.ts';

const never = new AbortController().signal;
const OK = json('200 OK', {});

function get(path: string = '/x'): HttpRequest {
  return { method: 'GET', path, headers: { Host: 'docker' }, body: undefined };
}

function post(body: HttpRequest['body'], headers: HttpRequest['headers'] = {}): HttpRequest {
  return { method: 'POST', path: '/x', headers: { Host: 'docker', ...headers }, body };
}

async function* pieces(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

/** Asks and reads to the end. */
async function ask(connections: HttpConnections, request: HttpRequest, signal: AbortSignal = never): Promise<string> {
  return await text((await connections.send(request, signal)).body);
}

/** An engine whose answers are bytes, and the connections to it. */
function engineThat(answer: FakeAnswer): { readonly engine: FakeEngine; readonly connections: HttpConnections } {
  const engine = new FakeEngine(answer);
  return { engine, connections: new HttpConnections(engine) };
}

describe('HttpConnections', () => {
  it('keeps a few idle connections and closes the others', async () => {
    const { engine, connections } = engineThat(({ socket }) => void socket.write(OK));
    await using _ = connections;
    const callers = IDLE_MAX + 10;
    await Promise.all(Array.from({ length: callers }, () => ask(connections, get())));
    assert.equal(engine.sockets.length, callers);
    assert.ok(await eventually(() => engine.sockets.filter(({ destroyed }) => !destroyed).length === IDLE_MAX));
    await Promise.all(Array.from({ length: IDLE_MAX }, () => ask(connections, get())));
    assert.equal(engine.sockets.length, callers);
  });

  it('lets only so many questions wait for an answer; a caller may leave the queue', async () => {
    const waiting: Duplex[] = [];
    const { engine, connections } = engineThat(({ socket }) => void waiting.push(socket));
    await using _ = connections;
    const caller = new AbortController();
    const left = connections.send(get(), never).then(({ status }) => status);
    const all = [left, ...Array.from({ length: UNANSWERED_MAX }, () => ask(connections, get()))];
    const leaving = ask(connections, get(), caller.signal);
    assert.ok(await eventually(() => waiting.length === UNANSWERED_MAX));
    caller.abort(new Error('I left'));
    await assert.rejects(leaving, { message: 'I left' });
    assert.equal(engine.sockets.length, UNANSWERED_MAX);
    assert.ok(
      await eventually(() => {
        for (const socket of waiting.splice(0)) socket.write(OK);
        return engine.requests.length === UNANSWERED_MAX + 1;
      }),
    );
    for (const socket of waiting.splice(0)) socket.write(OK);
    await Promise.all(all);
  });

  it('gives up a dial when its caller leaves, or the client is closed', async () => {
    const dials: AbortSignal[] = [];
    const silent: Transport = {
      describe: () => 'silent',
      dial: (signal) => {
        dials.push(signal);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    };
    const connections = new HttpConnections(silent);
    const caller = new AbortController();
    const asked = ask(connections, get(), caller.signal);
    assert.ok(await eventually(() => dials.length === 1));
    caller.abort(new Error('I left'));
    await assert.rejects(asked, { message: 'I left' });
    assert.equal(dials[0]?.aborted, true);
    const other = ask(connections, get());
    await connections[Symbol.asyncDispose]();
    await assert.rejects(other, { message: 'the client was closed' });
    await assert.rejects(ask(connections, get()), { message: 'the client was closed' });
  });

  it('does not use a connection again that the engine has closed while it was idle', async () => {
    let served: Duplex | undefined;
    const { engine, connections } = engineThat(({ socket }) => {
      served = socket;
      socket.write(OK);
    });
    await using _ = connections;
    await ask(connections, get());
    served?.end();
    assert.equal(await ask(connections, post('{}', { 'Content-Length': 2 })), '{}\n');
    assert.equal(engine.sockets.length, 2);
  });

  for (const [how, answer] of [
    ['says so', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'],
    ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['says more than it should', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore'],
  ] as const) {
    it(`closes a connection behind an answer when the engine ${how}`, async () => {
      const { engine, connections } = engineThat(({ socket }) => void socket.write(answer));
      await using _ = connections;
      await ask(connections, get());
      assert.ok(await eventually(() => engine.sockets[0]?.destroyed === true));
    });
  }

  it('reads over informational answers', async () => {
    const early = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n';
    const { connections } = engineThat(({ socket }) => void socket.write(early + OK));
    await using _ = connections;
    assert.equal(await ask(connections, get()), '{}\n');
  });

  it('reads an answer that comes byte by byte', async () => {
    const { connections } = engineThat(async ({ socket }) => {
      for (const byte of Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')) {
        if (!socket.write(Buffer.of(byte))) await once(socket, 'drain');
        await new Promise(setImmediate);
      }
    });
    await using _ = connections;
    assert.equal(await ask(connections, get()), 'abc');
  });

  for (const [name, answer, message] of [
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', /no HTTP/],
    ['has a head without end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}`, /head of more than/],
    ['is nothing but hints', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20), /informational/],
  ] as const) {
    it(`rejects an answer that ${name}`, async () => {
      const { engine, connections } = engineThat(({ socket }) => void socket.write(answer));
      await using _ = connections;
      await assert.rejects(ask(connections, get()), { name: 'ConnectionBroken', message });
      assert.ok(engine.sockets[0]?.destroyed);
    });
  }

  it('sends a body of unknown length in chunks', async () => {
    const { engine, connections } = engineThat(async ({ socket, rest }) => {
      socket.write(OK);
      await rest();
    });
    await using _ = connections;
    await ask(connections, post(pieces('ab', '', 'cde')));
    assert.equal(engine.requests[0]?.headers['transfer-encoding'], 'chunked');
  });

  it('takes an early answer as the answer, and sends no more', async () => {
    const { connections } = engineThat(({ socket }) => void socket.write(json('400 Bad Request', { message: 'no' })));
    await using _ = connections;
    let isEnded = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(64 * 1024);
      } finally {
        isEnded = true;
      }
    }
    const answer = await connections.send(post(endless()), never);
    assert.equal(answer.status, 400);
    assert.match(await text(answer.body), /no/);
    assert.ok(await eventually(() => isEnded));
  });

  it('fails with the words of a source that breaks off, and frees the connection', async () => {
    const { engine, connections } = engineThat(() => {});
    await using _ = connections;
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('some');
      throw new Error('disk on fire');
    }
    await assert.rejects(ask(connections, post(broken())), /disk on fire/);
    assert.ok(await eventually(() => engine.sockets[0]?.destroyed === true));
  });

  it('cuts an answer that is being read when the signal aborts', async () => {
    const { engine, connections } = engineThat(({ socket }) => void socket.write('HTTP/1.1 200 OK\r\n\r\nfirst'));
    await using _ = connections;
    const caller = new AbortController();
    const { body } = await connections.send(get(), caller.signal);
    const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
    assert.equal(String((await chunks.next()).value), 'first');
    caller.abort(new Error('I left'));
    await assert.rejects(chunks.next(), { message: 'I left' });
    assert.ok(engine.sockets[0]?.destroyed);
  });

  it('leaves no listener on a signal that many calls share', async () => {
    const { connections } = engineThat(({ socket }) => void socket.write(OK));
    await using _ = connections;
    const caller = new AbortController();
    for (let turn = 0; turn < 20; turn += 1) await ask(connections, get(), caller.signal);
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
  });

  it('closes what was taken over, too', async () => {
    const { engine, connections } = engineThat(
      ({ socket }) => void socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello'),
    );
    const answer = await connections.hijack(post('{}'), never);
    assert.ok('output' in answer);
    await connections[Symbol.asyncDispose]();
    assert.ok(engine.sockets.every(({ closed }) => closed));
  });
});
