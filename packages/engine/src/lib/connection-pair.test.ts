import assert from 'node:assert/strict';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { connectionPair } from './connection-pair.ts';

describe('connectionPair', () => {
  it('carries bytes both ways', async () => {
    const [left, right] = connectionPair();
    left.end('question');
    right.end('answer');
    assert.deepEqual(await Promise.all([text(left), text(right)]), ['answer', 'question']);
  });

  it('half-closes: an end that has said everything can still listen', async () => {
    const [left, right] = connectionPair();
    left.end('question');
    assert.equal(await text(right.iterator({ destroyOnReturn: false })), 'question');
    right.end('answer');
    assert.equal(await text(left), 'answer');
  });

  it('makes a writer wait for a reader that stalls', async () => {
    const [left, right] = connectionPair();
    const piece = Buffer.alloc(64 * 1024, 1);
    let taken = 0;
    for (let at = 0; at < 64; at += 1) left.write(piece, () => (taken += 1));
    left.end();
    await new Promise(setImmediate);
    assert.ok(taken <= 2, `${taken} pieces were taken`);
    assert.equal((await buffer(right)).length, 64 * piece.length);
    assert.equal(taken, 64);
  });

  it('lets what was written be read after the writer has gone, and closes both', async () => {
    const [left, right] = connectionPair();
    left.write('last words');
    left.destroySoon();
    await once(left, 'close');
    assert.equal(await text(right.iterator({ destroyOnReturn: false })), 'last words');
    await once(right, 'close');
  });

  it('fails writes to an end that has gone, those that wait as well', async () => {
    const [left, right] = connectionPair();
    const closed = new Promise((resolve) => left.on('error', () => {}).once('close', resolve));
    const failed = new Promise((resolve) => {
      left.write(Buffer.alloc(1024 * 1024));
      left.write('more', resolve);
    });
    right.destroy();
    assert.ok((await failed) instanceof Error);
    await closed;
  });

  it('passes no error on: the other end just closes', async () => {
    const [left, right] = connectionPair();
    left.on('error', () => {});
    left.destroy(new Error('mine'));
    right.resume();
    await once(right, 'close');
    assert.equal(right.errored, null);
  });
});
