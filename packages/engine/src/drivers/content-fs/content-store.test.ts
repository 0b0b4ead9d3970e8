import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { contentStoreSuite } from '../../core/ports/content-store.suite.ts';
import { FileContentStore } from './content-store.ts';

async function scene(): Promise<{ readonly root: string; readonly store: FileContentStore } & AsyncDisposable> {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-content-'));
  return {
    root,
    store: await FileContentStore.open(root),
    async [Symbol.asyncDispose]() {
      rmSync(root, { recursive: true });
    },
  };
}

async function* hello(): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from('hello');
}

contentStoreSuite('FileContentStore', scene);

describe('FileContentStore', () => {
  it('removes at its opening what a crash left half written', async () => {
    await using place = await scene();
    writeFileSync(join(place.root, 'content/incoming/half'), 'hel');
    await FileContentStore.open(place.root);
    assert.deepEqual(readdirSync(join(place.root, 'content/incoming')), []);
  });

  it('notices a blob that is not any more what was written', async () => {
    await using place = await scene();
    const { digest } = await place.store.write(hello(), { bytesMax: 10, signal: new AbortController().signal });
    writeFileSync(join(place.root, 'content/sha256', digest.slice(7)), 'hullo');
    await assert.rejects(place.store.readWhole(digest, 10), { kind: 'internal' });
  });
});
