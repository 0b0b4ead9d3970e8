import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { layerTar } from '@fairlead/testkit';
import type { LayerStore, UnpackLayer } from './layer-store.ts';

const never = new AbortController().signal;

/** What every layer store promises. `make` gives a fresh, empty one. */
export function layerStoreSuite(
  name: string,
  make: () => Promise<{ readonly store: LayerStore } & AsyncDisposable>,
): void {
  describe(`${name} as a layer store`, () => {
    it('has a layer once it is unpacked, and tells the size of its files', async () => {
      await using place = await make();
      const layer = await someLayer();
      assert.equal(place.store.has(layer.chainId), false);
      await place.store.unpack(layer, layer.open, never);
      assert.equal(place.store.has(layer.chainId), true);
      assert.equal(place.store.sizeBytes(layer.chainId), 5);
      assert.deepEqual(place.store.list(), [layer.chainId]);
    });

    it('unpacks once, however often and from however many sides it is asked', async () => {
      await using place = await make();
      const layer = await someLayer();
      const opened = { count: 0 };
      const open = (): AsyncIterable<Uint8Array> => {
        opened.count += 1;
        return layer.open();
      };
      await Promise.all([1, 2, 3].map(() => place.store.unpack(layer, open, never)));
      await place.store.unpack(layer, open, never);
      assert.equal(opened.count, 1);
    });

    it('unpacks for one caller when the other, who came first, leaves', async () => {
      await using place = await make();
      const layer = await someLayer();
      const leaver = new AbortController();
      const first = place.store.unpack(layer, layer.open, leaver.signal);
      const second = place.store.unpack(layer, layer.open, never);
      leaver.abort(new Error('left'));
      await assert.rejects(first, /left/);
      await second;
      assert.equal(place.store.has(layer.chainId), true);
    });

    const refused: readonly { readonly why: string; readonly bytes: (good: Uint8Array) => Uint8Array }[] = [
      { why: 'a tar with another digest', bytes: (good) => Buffer.concat([good, Buffer.alloc(512)]) },
      { why: 'half a tar', bytes: (good) => good.subarray(0, 700) },
      { why: 'what is no tar', bytes: () => Buffer.alloc(2048, 'x') },
    ];
    for (const { why, bytes } of refused) {
      it(`refuses ${why} and has no part of it`, async () => {
        await using place = await make();
        const layer = await someLayer();
        const open = (): AsyncIterable<Uint8Array> => once(bytes(layer.bytes));
        await assert.rejects(place.store.unpack(layer, open, never), { name: 'EngineError', kind: 'invalid-argument' });
        assert.deepEqual(place.store.list(), []);
        await place.store.unpack(layer, layer.open, never);
        assert.equal(place.store.has(layer.chainId), true);
      });
    }

    it('has a removed layer no more, at once, and takes it in again', async () => {
      await using place = await make();
      const layer = await someLayer();
      await place.store.unpack(layer, layer.open, never);
      const removed = place.store.remove(layer.chainId);
      assert.equal(place.store.has(layer.chainId), false);
      await place.store.unpack(layer, layer.open, never);
      await removed;
      assert.equal(place.store.sizeBytes(layer.chainId), 5);
      await place.store.remove(layer.chainId);
      await place.store.remove(layer.chainId);
      assert.throws(() => place.store.sizeBytes(layer.chainId), { kind: 'not-found' });
    });
  });
}

async function someLayer(): Promise<
  UnpackLayer & { readonly bytes: Uint8Array; readonly open: () => AsyncIterable<Uint8Array> }
> {
  const bytes = await layerTar([{ name: 'a/' }, { name: 'a/file', content: 'hello' }]);
  const diffId = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { chainId: diffId, parentChainId: undefined, diffId, bytes, open: () => once(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
