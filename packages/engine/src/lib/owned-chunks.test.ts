import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ownedChunks } from './owned-chunks.ts';

interface Scene {
  readonly owned: AsyncIterable<number>;
  readonly log: string[];
  readonly abort: AbortController;
}

function scene(source: () => AsyncGenerator<number, void, undefined>): Scene {
  const log: string[] = [];
  const abort = new AbortController();
  const chunks = (async function* (): AsyncGenerator<number, void, undefined> {
    try {
      yield* source();
    } finally {
      log.push('source freed');
    }
  })();
  const owner = { [Symbol.asyncDispose]: async () => void log.push('owner disposed') };
  return { owned: ownedChunks(chunks, owner, abort.signal), log, abort };
}

async function* numbers(): AsyncGenerator<number, void, undefined> {
  yield 1;
  yield 2;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ownedChunks', () => {
  it('disposes at the end', async () => {
    const { owned, log } = scene(numbers);
    assert.deepEqual(await Array.fromAsync(owned), [1, 2]);
    assert.deepEqual(log, ['source freed', 'owner disposed']);
  });

  it('disposes when it is broken off', async () => {
    const { owned, log } = scene(numbers);
    for await (const _number of owned) break;
    assert.deepEqual(log, ['source freed', 'owner disposed']);
  });

  it('disposes when nobody asked for a first chunk', async () => {
    const { owned, log } = scene(numbers);
    await owned[Symbol.asyncIterator]().return?.();
    assert.deepEqual(log, ['owner disposed']);
  });

  it('disposes when the source fails, and tells why', async () => {
    const { owned, log } = scene(async function* () {
      yield 1;
      throw new Error('broken');
    });
    await assert.rejects(Array.fromAsync(owned), /broken/);
    assert.deepEqual(log, ['source freed', 'owner disposed']);
  });

  it('disposes on an abort between two chunks, and the next one is the reason', async () => {
    const { owned, log, abort } = scene(numbers);
    const iterator = owned[Symbol.asyncIterator]();
    await iterator.next();
    abort.abort(new Error('gone'));
    await turn();
    assert.deepEqual(log, ['source freed', 'owner disposed']);
    await assert.rejects(iterator.next(), /gone/);
  });

  it('disposes on an abort before the first one, also when that came before', async () => {
    const { log, abort } = scene(numbers);
    abort.abort(new Error('gone'));
    await turn();
    assert.deepEqual(log, ['owner disposed']);
    const owner = { [Symbol.asyncDispose]: async () => void log.push('at once') };
    const late = ownedChunks(numbers(), owner, abort.signal);
    await assert.rejects(Array.fromAsync(late), /gone/);
    assert.equal(log.at(-1), 'at once');
  });

  it('waits with disposing for a chunk under way', async () => {
    const underWay = Promise.withResolvers<void>();
    const { owned, log, abort } = scene(async function* () {
      await underWay.promise;
      yield 1;
    });
    const next = owned[Symbol.asyncIterator]().next();
    abort.abort(new Error('gone'));
    await turn();
    assert.deepEqual(log, []);
    underWay.resolve();
    await assert.rejects(next, /gone/);
    await turn();
    assert.deepEqual(log, ['source freed', 'owner disposed']);
  });
});
