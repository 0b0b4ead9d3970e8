import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ContentStore, Digest } from './content-store.ts';

const never = new AbortController().signal;
const anySize = { bytesMax: 1024 * 1024, signal: never };

/** What every content store promises. `make` gives a fresh, empty one. */
export function contentStoreSuite(
  name: string,
  make: () => Promise<{ readonly store: ContentStore } & AsyncDisposable>,
): void {
  describe(`${name} as a content store`, () => {
    it('gives back what went in, whole and streamed, under its digest', async () => {
      await using place = await make();
      const bytes = randomBytes(700_000);
      const blob = await place.store.write(chunks(bytes, 9_999), anySize);
      assert.deepEqual(blob, { digest: digestOf(bytes), sizeBytes: bytes.length });
      assert.deepEqual(Buffer.from(await place.store.readWhole(blob.digest, bytes.length)), bytes);
      assert.deepEqual(Buffer.concat(await Array.fromAsync(place.store.read(blob.digest))), bytes);
      assert.equal(await place.store.sizeBytes(blob.digest), bytes.length);
      assert.deepEqual(await place.store.list(), [blob.digest]);
    });

    it('keeps one blob when the same content is written many times at once', async () => {
      await using place = await make();
      const bytes = randomBytes(100_000);
      const blobs = await Promise.all(
        [1, 2, 3, 4].map((size) => place.store.write(chunks(bytes, size * 1000), anySize)),
      );
      assert.equal(new Set(blobs.map(({ digest }) => digest)).size, 1);
      assert.deepEqual(await place.store.list(), [digestOf(bytes)]);
    });

    const refused = [
      {
        why: 'other content than expected',
        options: { ...anySize, expected: digestOf(Buffer.from('other')) },
        kind: 'invalid-argument',
      },
      { why: 'more than the limit', options: { ...anySize, bytesMax: 4 }, kind: 'too-large' },
    ];
    for (const { why, options, kind } of refused) {
      it(`refuses ${why} and keeps nothing`, async () => {
        await using place = await make();
        await assert.rejects(place.store.write(chunks(Buffer.from('hello'), 2), options), {
          name: 'EngineError',
          kind,
        });
        assert.deepEqual(await place.store.list(), []);
      });
    }

    it('keeps nothing of a write whose source breaks or that is aborted', async () => {
      await using place = await make();
      await assert.rejects(place.store.write(broken(), anySize), /gone/);
      const caller = new AbortController();
      caller.abort(new Error('hung up'));
      await assert.rejects(
        place.store.write(chunks(Buffer.from('x'), 1), { ...anySize, signal: caller.signal }),
        /hung up/,
      );
      assert.deepEqual(await place.store.list(), []);
    });

    it('says not-found for what is not there, and deletes it with success', async () => {
      await using place = await make();
      const digest = digestOf(Buffer.from('nothing'));
      await assert.rejects(place.store.readWhole(digest, 10), { kind: 'not-found' });
      await assert.rejects(Array.fromAsync(place.store.read(digest)), { kind: 'not-found' });
      assert.equal(await place.store.sizeBytes(digest), undefined);
      await place.store.delete(digest);
    });

    it('refuses to read a blob as a whole that is over the limit', async () => {
      await using place = await make();
      const { digest } = await place.store.write(chunks(Buffer.from('hello'), 5), anySize);
      await assert.rejects(place.store.readWhole(digest, 4), { kind: 'too-large' });
    });

    it('forgets what was deleted', async () => {
      await using place = await make();
      const { digest } = await place.store.write(chunks(Buffer.from('hello'), 5), anySize);
      await place.store.delete(digest);
      assert.deepEqual(await place.store.list(), []);
    });

    for (const digest of ['sha256:../../../etc/passwd', 'md5:x', '', `sha256:${'A'.repeat(64)}`]) {
      it(`refuses ${JSON.stringify(digest)} as a digest`, async () => {
        await using place = await make();
        await assert.rejects(place.store.readWhole(digest, 10), { kind: 'invalid-argument' });
      });
    }
  });
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from('half');
  throw new Error('gone');
}
