import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { volumeStoreSuite, type VolumeStoreScene } from '../../core/ports/volume-store.suite.ts';
import { removeTree } from '../../host/files.ts';
import { mountPath, unmountTree } from '../../host/mounts.ts';
import { DirectoryVolumeStore } from './volume-store.ts';

async function scene(): Promise<
  VolumeStoreScene & { readonly directory: string; readonly store: DirectoryVolumeStore }
> {
  const home = await mkdtemp(join(tmpdir(), 'fairlead-volumes-'));
  const rootPath = join(home, 'root');
  mkdirSync(rootPath);
  const directory = join(home, 'volumes');
  return {
    directory,
    store: await DirectoryVolumeStore.open(directory),
    rootPath,
    async [Symbol.asyncDispose]() {
      await unmountTree(home);
      await removeTree(home);
    },
  };
}

volumeStoreSuite('DirectoryVolumeStore', scene);

describe('DirectoryVolumeStore', () => {
  it('deletes what was left by work that was interrupted, and nothing else', async () => {
    await using place = await scene();
    await place.store.make('one');
    mkdirSync(join(place.directory, '.removed-1234/_data'), { recursive: true });
    mkdirSync(join(place.directory, 'one/_filling/d'), { recursive: true });
    mkdirSync(join(place.directory, 'half-made'));
    mkdirSync(join(place.directory, 'foreign/thing'), { recursive: true });
    writeFileSync(join(place.directory, 'file'), '');
    await place.store.tidy();
    assert.deepEqual(readdirSync(place.directory), ['file', 'foreign', 'one']);
    assert.deepEqual(readdirSync(join(place.directory, 'one')), ['_data']);
  });

  it('keeps a volume below which somebody mounted something', async () => {
    await using place = await scene();
    await place.store.make('one');
    const inner = join(place.store.path('one'), 'inner');
    mkdirSync(inner);
    await mountPath({ source: 'tmpfs', target: inner, type: 'tmpfs' });
    writeFileSync(join(inner, 'f'), 'x');
    await assert.rejects(place.store.remove('one'), { message: `remove one: something is mounted at ${inner}` });
    assert.deepEqual(readdirSync(inner), ['f']);
  });

  it('takes no notice of what is no volume', async () => {
    await using place = await scene();
    mkdirSync(join(place.directory, 'stray'));
    writeFileSync(join(place.directory, 'file'), '');
    assert.deepEqual(await place.store.list(), []);
  });
});
