import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProgressMessage } from '@fairlead/protocol';
import * as fc from 'fast-check';
import { TransferFailedError } from '../errors.ts';
import { FakeEngine } from '../fake-engine.fixture.ts';
import { ProgressMeter } from './progress-meter.ts';

function percents(messages: readonly ProgressMessage[]): readonly number[] {
  const meter = new ProgressMeter();
  return messages.map((message) => meter.take(message).percent);
}

const layer = (id: string, status: string, [current, total] = [0, 0]): ProgressMessage => ({
  id,
  status,
  progressDetail: { current, total },
});

describe('ProgressMeter', () => {
  it('counts layers by their size, and a download for more than its unpacking', () => {
    const messages = [
      { status: 'Pulling from library/busybox', id: 'latest' },
      layer('a', 'Pulling fs layer'),
      layer('b', 'Pulling fs layer'),
      layer('a', 'Downloading', [450, 900]),
      layer('b', 'Downloading', [100, 100]),
      layer('a', 'Download complete'),
      layer('b', 'Pull complete'),
      layer('a', 'Extracting', [450, 900]),
      layer('a', 'Pull complete'),
    ];
    assert.deepEqual(percents(messages), [0, 0, 0, 18, 41, 75, 77, 88, 99]);
  });

  it('knows layers that are there already', () => {
    assert.deepEqual(percents([layer('a', 'Already exists'), layer('b', 'Pulling fs layer')]), [99, 99]);
    assert.deepEqual(percents([layer('b', 'Preparing'), layer('a', 'Mounted from some/where')]), [0, 50]);
  });

  it('counts the steps of a build', () => {
    const step = (n: number): ProgressMessage => ({ stream: `Step ${n}/4 : RUN true` });
    assert.deepEqual(percents([step(1), { stream: '\n' }, step(2), step(3), step(4)]), [0, 0, 25, 50, 75]);
  });

  it('never goes back, and never reaches 100 by itself, whatever an engine says', () => {
    const statuses = ['Pulling fs layer', 'Downloading', 'Extracting', 'Pull complete', 'Pushing', 'Pushed', 'odd'];
    const message = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      status: fc.constantFrom(...statuses),
      progressDetail: fc.record({ current: fc.integer(), total: fc.integer() }),
    });
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const seen = percents(messages);
        assert.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
        );
        assert.ok(seen.every((percent) => percent >= 0 && percent < 100));
      }),
    );
  });
});

const DIGEST = `sha256:${'a'.repeat(64)}`;
const PULLED = [
  { status: 'Pulling from library/busybox', id: 'latest' },
  layer('a', 'Downloading', [50, 100]),
  layer('a', 'Pull complete'),
  { status: `Digest: ${DIGEST}` },
];

function saying(messages: readonly object[], end = true): FakeEngine {
  const lines = messages.map((message) => `${JSON.stringify(message)}\r\n`);
  const chunks = lines.map((line) => `${line.length.toString(16)}\r\n${line}\r\n`).join('');
  return new FakeEngine(({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}${end ? '0\r\n\r\n' : ''}`);
  });
}

describe('Transfer', () => {
  it('asks for nothing before it is awaited, and then gives its result', async () => {
    const engine = saying(PULLED);
    await using client = await engine.client();
    const pull = client.images.pull('busybox', { auth: 'anonymous' });
    assert.equal(engine.requests.length, 0);
    assert.equal(await pull, DIGEST);
    assert.equal(await pull, DIGEST);
    assert.equal(engine.requests.length, 1);
    assert.match(engine.requests[0]?.line ?? '', /\?fromImage=busybox&tag=latest /);
    assert.equal(engine.requests[0]?.headers['x-registry-auth'], 'e30=');
  });

  it('gives its progress while it is iterated, to 100, and its result afterwards', async () => {
    await using client = await saying(PULLED).client();
    const pull = client.images.pull('busybox', { auth: 'anonymous' });
    const seen = await Array.fromAsync(pull, ({ percent }) => percent);
    assert.deepEqual(seen, [0, 37, 99, 99, 100]);
    assert.equal(await pull, DIGEST);
    await assert.rejects(Array.fromAsync(pull), { kind: 'invalid-argument' });
  });

  for (const how of ['awaited', 'iterated'] as const) {
    it(`throws what comes after a 200 when it is ${how}, with its code`, async () => {
      const failed = { errorDetail: { code: 7, message: 'returned a non-zero code: 7' }, error: 'returned' };
      await using client = await saying([layer('a', 'Downloading', [1, 2]), failed]).client();
      const build = client.images.build((async function* none(): AsyncGenerator<Uint8Array> {})());
      const asked = how === 'awaited' ? Promise.resolve(build) : Array.fromAsync(build);
      await assert.rejects(asked, (error: Error) => {
        assert.ok(error instanceof TransferFailedError);
        assert.deepEqual([error.code, error.message], [7, 'returned a non-zero code: 7']);
        return true;
      });
    });
  }

  it('frees the connection when it is broken off, and says so to whoever awaits it', async () => {
    const engine = saying(PULLED, false);
    await using client = await engine.client();
    const pull = client.images.pull('busybox', { auth: 'anonymous' });
    for await (const _ of pull) break;
    await assert.rejects(Promise.resolve(pull), { message: 'pull busybox: was broken off' });
    while (!engine.sockets.at(-1)?.destroyed) await new Promise(setImmediate);
  });

  it('ends with the reason of the caller who aborts', async () => {
    const engine = saying(PULLED, false);
    await using client = await engine.client();
    const caller = new AbortController();
    const pull = client.images.pull('busybox', { auth: 'anonymous', signal: caller.signal });
    await assert.rejects(
      async () => {
        for await (const _ of pull) caller.abort(new Error('I left'));
      },
      { message: 'I left' },
    );
    while (!engine.sockets.at(-1)?.destroyed) await new Promise(setImmediate);
  });
});
