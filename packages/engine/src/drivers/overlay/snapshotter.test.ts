import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import type { LayerEntry } from '@fairlead/testkit';
import { snapshotterSuite } from '../../core/ports/snapshotter.suite.ts';
import { isMounted, listMounts, mountPath } from '../../host/mounts.ts';
import { LAYERS_MAX } from './mount-options.ts';
import { probeOverlay } from './probe.ts';
import { OverlaySnapshotter } from './snapshotter.ts';
import { overlayScene } from './test/stack.ts';
import { tmpfsRoot } from './test/tmpfs-root.ts';

const id = containerId('c'.repeat(64));
const base: readonly LayerEntry[] = [
  { name: 'etc/' },
  { name: 'etc/name', content: 'layer' },
  { name: 'etc/other', content: 'x' },
];

snapshotterSuite('OverlaySnapshotter', async () => {
  const place = await overlayScene();
  const layerIds = await place.stack(base);
  return { snapshots: place.snapshots, layerIds, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
});

describe('OverlaySnapshotter', () => {
  it('hides what upper layers have whited out', async () => {
    await using place = await overlayScene();
    const layers = await place.stack(
      [...base, { name: 'var/' }, { name: 'var/a', content: 'a' }],
      [
        { name: 'etc/' },
        { name: 'etc/.wh.other' },
        { name: 'var/' },
        { name: 'var/.wh..wh.opq' },
        { name: 'var/b', content: 'b' },
      ],
    );
    await place.snapshots.prepare(id, layers);
    const root = await place.snapshots.mount(id);
    assert.deepEqual(
      readdirSync(join(root, 'etc')).filter((name) => /^(name|other|\.wh)/.test(name)),
      ['name'],
    );
    assert.deepEqual(readdirSync(join(root, 'var')), ['b']);
  });

  it('lets a file be deleted, renamed and replaced by a directory', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, await place.stack(base));
    const root = await place.snapshots.mount(id);
    rmSync(join(root, 'etc/name'));
    assert.equal(existsSync(join(root, 'etc/name')), false);
  });

  it('gives the root directory owner and mode of the topmost layer', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, await place.stack(base, [{ name: './', mode: 0o750, uid: 5, gid: 6 }]));
    const { mode, uid, gid } = statSync(await place.snapshots.mount(id));
    assert.deepEqual([mode & 0o7777, uid, gid], [0o750, 5, 6]);
  });

  it('makes a directory where a file was whited out', async () => {
    await using place = await overlayScene();
    const layers = await place.stack(base, [{ name: 'etc/' }, { name: 'etc/.wh.other' }]);
    await place.snapshots.prepare(id, layers, { disposable: false, directory: '/etc/other/below' });
    assert.ok(statSync(join(await place.snapshots.mount(id), 'etc/other/below')).isDirectory());
  });

  it('mounts as many layers as an image may have', async () => {
    await using place = await overlayScene();
    // One tar on top of itself is another layer each time; unpacking all of them takes a while, so they are few bytes.
    const layers = await place.stack(
      ...Array.from({ length: LAYERS_MAX }, (_, index) => [{ name: `f${index}`, content: 'x' }]),
    );
    await place.snapshots.prepare(id, layers);
    const root = await place.snapshots.mount(id);
    assert.equal(readdirSync(root).filter((name) => /^f\d+$/.test(name)).length, LAYERS_MAX);
    await assert.rejects(place.snapshots.prepare(id, [...layers, ...layers.slice(0, 1)]), { kind: 'invalid-argument' });
  });

  it('gives an image without layers a root with the places for mounts only', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, []);
    const names = readdirSync(await place.snapshots.mount(id)).toSorted();
    assert.deepEqual(names, ['.dockerenv', 'dev', 'etc', 'proc', 'sys']);
  });

  it('finds mounts of an engine that was killed, and does not mount twice', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, await place.stack(base));
    const root = await place.snapshots.mount(id);
    const next = await OverlaySnapshotter.open({
      layers: place.store,
      containersDirectory: join(place.root, 'containers'),
    });
    assert.equal(await next.mount(id), root);
    await next.unmount(id);
    assert.equal(await isMounted(root), false);
  });

  it('unmounts also while somebody has a file open there', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, await place.stack(base));
    const root = await place.snapshots.mount(id);
    await using file = await open(join(root, 'etc/name'));
    await place.snapshots.unmount(id);
    assert.equal(await isMounted(root), false);
    assert.equal(await file.readFile('utf8'), 'layer');
  });

  it('never syncs a disposable layer, keeps what was written there while the host runs, and refuses it after that', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, await place.stack(base), { disposable: true });
    const root = await place.snapshots.mount(id);
    // Newer kernels say `fsync=volatile`.
    assert.match((await listMounts(root))[0]?.superOptions ?? '', /\bvolatile\b/);
    writeFileSync(join(root, 'etc/name'), 'changed');
    await place.snapshots.unmount(id);
    assert.equal(readFileSync(join(await place.snapshots.mount(id), 'etc/name'), 'utf8'), 'changed');
    await place.snapshots.unmount(id);
    const home = join(root, '..');
    writeFileSync(join(home, 'disposable'), '00000000-0000-0000-0000-000000000000');
    await assert.rejects(place.snapshots.mount(id), /was lost when the host stopped/);
    await assert.rejects(place.snapshots.hold(id), { kind: 'internal' });
    await place.snapshots.remove(id);
    assert.deepEqual(readdirSync(home), []);
  });

  it('syncs every other layer', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, await place.stack(base), { disposable: false });
    const root = await place.snapshots.mount(id);
    assert.equal((await listMounts(root))[0]?.superOptions.includes('volatile'), false);
  });

  it('leaves other files of the container alone', async () => {
    await using place = await overlayScene();
    await place.snapshots.prepare(id, await place.stack(base));
    const home = join(place.snapshots.rootPath(id), '..');
    assert.deepEqual(readdirSync(home).toSorted(), ['lower', 'merged', 'upper', 'work']);
    await place.snapshots.remove(id);
    assert.deepEqual(readdirSync(home), []);
    assert.deepEqual(readFileSync('/proc/self/mountinfo', 'utf8').includes(home), false);
  });
});

describe('probeOverlay', () => {
  it('says why, where a writable layer cannot be', async () => {
    await using place = await tmpfsRoot();
    const [lower, upper, work, merged] = [1, 2, 3, 4].map((name) => join(place.path, `${name}`));
    for (const path of [lower, upper, work, merged]) mkdirSync(path ?? '');
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    await mountPath({ source: 'overlay', target: merged ?? '', type: 'overlay', options });
    const words = { name: 'EngineError', kind: 'unavailable', message: /cannot use overlayfs in .*overlay itself/ };
    await assert.rejects(probeOverlay(merged ?? ''), words);
  });
});
