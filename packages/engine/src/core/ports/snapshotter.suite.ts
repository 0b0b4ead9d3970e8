import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import type { Snapshotter } from './snapshotter.ts';

const first = containerId('a'.repeat(64));
const second = containerId('b'.repeat(64));

/** A snapshotter, and a layer that it can stack: one file, `etc/name`, that says `layer`. */
export interface SnapshotterScene extends AsyncDisposable {
  readonly snapshots: Snapshotter;
  readonly layerIds: readonly string[];
}

/** What every snapshotter promises. `make` gives a fresh one. */
export function snapshotterSuite(name: string, make: () => Promise<SnapshotterScene>): void {
  describe(`${name} as a snapshotter`, () => {
    it('gives two containers a root of their own over the same layer', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      await snapshots.prepare(first, layerIds);
      await snapshots.prepare(second, layerIds);
      const [one, two] = [await snapshots.mount(first), await snapshots.mount(second)];
      writeFileSync(join(one, 'etc/name'), 'changed');
      assert.equal(readFileSync(join(two, 'etc/name'), 'utf8'), 'layer');
      assert.equal(one, snapshots.rootPath(first));
    });

    it('keeps what was written over unmount and mount, and forgets it with remove', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      await snapshots.prepare(first, layerIds);
      writeFileSync(join(await snapshots.mount(first), 'etc/name'), 'changed');
      await snapshots.unmount(first);
      assert.equal(existsSync(join(snapshots.rootPath(first), 'etc/name')), false);
      assert.equal(readFileSync(join(await snapshots.mount(first), 'etc/name'), 'utf8'), 'changed');
      await snapshots.remove(first);
      await snapshots.prepare(first, layerIds);
      assert.equal(readFileSync(join(await snapshots.mount(first), 'etc/name'), 'utf8'), 'layer');
    });

    it('may be asked for everything twice', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      for (let turn = 0; turn < 2; turn++) await snapshots.prepare(first, layerIds);
      for (let turn = 0; turn < 2; turn++) await snapshots.mount(first);
      for (let turn = 0; turn < 2; turn++) await snapshots.unmount(first);
      for (let turn = 0; turn < 2; turn++) await snapshots.remove(first);
      await snapshots.unmount(second);
      await snapshots.remove(second);
      assert.deepEqual(await snapshots.list(), []);
    });

    it('lists what has a writable layer, and counts what was written there', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      await snapshots.prepare(first, layerIds);
      await snapshots.prepare(second, layerIds);
      assert.deepEqual([...(await snapshots.list())].toSorted(), [first, second]);
      assert.equal(await snapshots.usageBytes(first), 0);
      writeFileSync(join(await snapshots.mount(first), 'file'), Buffer.alloc(1234));
      assert.equal(await snapshots.usageBytes(first), 1234);
      assert.ok(statSync((await snapshots.describe(first))['UpperDir'] ?? '').isDirectory());
    });

    it('refuses layers that it does not have', async () => {
      await using place = await make();
      await assert.rejects(place.snapshots.prepare(first, [`sha256:${'0'.repeat(64)}`]), { kind: 'not-found' });
      await assert.rejects(place.snapshots.mount(first), { kind: 'not-found' });
    });
  });
}
