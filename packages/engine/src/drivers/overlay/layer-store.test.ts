import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LAYER_TIME, type LayerEntry } from '@fairlead/testkit';
import { layerStoreSuite } from '../../core/ports/layer-store.suite.ts';
import { getExtendedAttribute } from '../../host/file-nodes.ts';
import { silentLog } from '../../lib/log.ts';
import { OverlayLayerStore } from './layer-store.ts';
import { overlayScene } from './test/stack.ts';

const base: readonly LayerEntry[] = [
  { name: './', mode: 0o711, uid: 3, gid: 4 },
  { name: 'etc/' },
  { name: 'etc/old', content: 'old' },
  { name: 'etc/kept', content: 'kept' },
];

layerStoreSuite('OverlayLayerStore', overlayScene);

describe('OverlayLayerStore', () => {
  it('turns whiteouts into devices 0:0 and opaque directories, and keeps the times of their directories', async () => {
    await using place = await overlayScene();
    const upper = [
      { name: 'etc/' },
      { name: 'etc/.wh.old' },
      { name: 'var/' },
      { name: 'var/.wh..wh.opq' },
      { name: '.wh..wh.plnk/' },
      { name: '.wh..wh.plnk/1.2', content: 'aufs' },
    ];
    const [, top = ''] = await place.stack(base, upper);
    const diff = place.store.path(top);
    const whiteout = lstatSync(join(diff, 'etc/old'));
    assert.deepEqual([whiteout.isCharacterDevice(), whiteout.rdev], [true, 0]);
    assert.equal(getExtendedAttribute(join(diff, 'var'), 'trusted.overlay.opaque')?.toString(), 'y');
    assert.deepEqual(readdirSync(diff).toSorted(), ['etc', 'var']);
    assert.deepEqual(readdirSync(join(diff, 'var')), []);
    assert.deepEqual(statSync(join(diff, 'etc')).mtime, LAYER_TIME);
  });

  it('lets a name of the layer itself win over its whiteout', async () => {
    await using place = await overlayScene();
    const [, top = ''] = await place.stack(base, [
      { name: 'etc/' },
      { name: 'etc/old', content: 'new' },
      { name: 'etc/.wh.old' },
    ]);
    assert.equal(readFileSync(join(place.store.path(top), 'etc/old'), 'utf8'), 'new');
  });

  it('has nothing to hide in the lowest layer', async () => {
    await using place = await overlayScene();
    const [only = ''] = await place.stack([{ name: 'etc/' }, { name: 'etc/.wh.x' }, { name: 'etc/.wh..wh.opq' }]);
    assert.deepEqual(readdirSync(join(place.store.path(only), 'etc')), []);
    assert.equal(getExtendedAttribute(join(place.store.path(only), 'etc'), 'trusted.overlay.opaque'), undefined);
  });

  for (const name of ['.wh.', '.wh...', '.wh..']) {
    it(`refuses ${JSON.stringify(name)} as a whiteout`, async () => {
      await using place = await overlayScene();
      await assert.rejects(place.stack(base, [{ name }]), { kind: 'invalid-argument' });
    });
  }

  it('takes owner and mode of the root directory from below, unless the layer has it', async () => {
    await using place = await overlayScene();
    const [, second = '', third = ''] = await place.stack(
      base,
      [{ name: 'a' }],
      [{ name: './', mode: 0o755 }, { name: 'b' }],
    );
    const [from, own] = [statSync(place.store.path(second)), statSync(place.store.path(third))];
    assert.deepEqual([from.mode & 0o7777, from.uid, from.gid], [0o711, 3, 4]);
    assert.deepEqual([own.mode & 0o7777, own.uid, own.gid], [0o755, 0, 0]);
  });

  it('knows its layers again after it was closed, and clears away what a crash left', async () => {
    await using place = await overlayScene();
    const chainIds = await place.stack(base, [{ name: 'a', content: 'xyz' }]);
    mkdirSync(join(place.root, 'layers/incoming/half/diff'), { recursive: true });
    await using again = await OverlayLayerStore.open(place.root, silentLog);
    assert.deepEqual([...again.list()].toSorted(), [...chainIds].toSorted());
    assert.equal(again.sizeBytes(chainIds[1] ?? ''), 3);
    assert.deepEqual(readdirSync(join(place.root, 'layers/incoming')), []);
  });

  it('drops a layer that was not on disk yet when the machine went down', async () => {
    await using place = await overlayScene();
    const [chainId = ''] = await place.stack(base);
    const directory = join(place.store.path(chainId), '..');
    const path = join(directory, 'layer.json');
    const record = readFileSync(path, 'utf8');
    writeFileSync(path, record.replace(/"unsyncedInBoot":"[^"]*"/, '"unsyncedInBoot":"another boot"'));
    await using again = await OverlayLayerStore.open(place.root, silentLog);
    assert.deepEqual([again.has(chainId), existsSync(directory)], [false, false]);
  });

  it('leaves alone a layer whose record cannot be read', async () => {
    await using place = await overlayScene();
    const [chainId = ''] = await place.stack(base);
    const path = join(place.store.path(chainId), '../layer.json');
    writeFileSync(path, '{');
    await using again = await OverlayLayerStore.open(place.root, silentLog);
    assert.deepEqual([again.has(chainId), existsSync(path)], [false, true]);
  });
});
