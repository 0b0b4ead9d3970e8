import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import type { Snapshotter } from './snapshotter.ts';

const never = new AbortController().signal;
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

    it('tells what was changed, and makes a layer of it that does the same', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      await snapshots.prepare(first, layerIds);
      assert.deepEqual(await snapshots.changes(first, never), []);
      assert.equal((await bytesOf(snapshots.layerTar(first, never))).length, 0);
      const root = await snapshots.mount(first);
      writeFileSync(join(root, 'etc/name'), 'changed');
      mkdirSync(join(root, 'new'));
      writeFileSync(join(root, 'new/file'), 'x');
      const changes = await snapshots.changes(first, never);
      assert.deepEqual(
        changes.map(({ kind, path }) => `${kind} ${path}`),
        ['modified /etc', 'modified /etc/name', 'added /new', 'added /new/file'],
      );
      const tar = await bytesOf(snapshots.layerTar(first, never));
      const names = execFileSync('tar', ['--list'], { input: tar }).toString().trim().split('\n');
      assert.deepEqual(names, ['etc/', 'etc/name', 'new/', 'new/file']);
    });

    it('makes a directory before the first mount, unless something is there', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      for (let turn = 0; turn < 2; turn++)
        await snapshots.prepare(first, layerIds, { disposable: false, directory: '/etc/new/one' });
      const changes = await snapshots.changes(first, never);
      assert.deepEqual(
        changes.map(({ path, kind }) => `${kind} ${path}`),
        ['modified /etc', 'added /etc/new', 'added /etc/new/one'],
      );
      assert.equal(readFileSync(join(await snapshots.mount(first), 'etc/name'), 'utf8'), 'layer');
      await snapshots.prepare(second, layerIds, { disposable: false, directory: '/etc' });
      assert.deepEqual(await snapshots.changes(second, never), []);
    });

    it('makes no directory where a layer has a file, or below one', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      for (const directory of ['/etc/name', '/etc/name/below']) {
        await assert.rejects(snapshots.prepare(second, layerIds, { disposable: false, directory }), {
          kind: 'internal',
          message: `Cannot mkdir: ${directory} is not a directory`,
        });
        await snapshots.remove(second);
      }
    });

    it('stays mounted while somebody holds it, and goes with the last one', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      await snapshots.prepare(first, layerIds);
      const file = join(snapshots.rootPath(first), 'etc/name');
      const one = await snapshots.hold(first);
      const other = await snapshots.hold(first);
      assert.equal(one.path, snapshots.rootPath(first));
      await snapshots.mount(first);
      await snapshots.unmount(first);
      await one[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
      assert.equal(existsSync(file), true);
      await other[Symbol.asyncDispose]();
      assert.equal(existsSync(file), false);
    });

    it('stays mounted for its container when those who held it have gone', async () => {
      await using place = await make();
      const { snapshots, layerIds } = place;
      await snapshots.prepare(first, layerIds);
      const file = join(snapshots.rootPath(first), 'etc/name');
      const held = await snapshots.hold(first);
      await Promise.all([held[Symbol.asyncDispose](), snapshots.mount(first)]);
      assert.equal(existsSync(file), true);
      await snapshots.unmount(first);
      assert.equal(existsSync(file), false);
    });

    it('refuses layers that it does not have', async () => {
      await using place = await make();
      await assert.rejects(place.snapshots.prepare(first, [`sha256:${'0'.repeat(64)}`]), { kind: 'not-found' });
      await assert.rejects(place.snapshots.mount(first), { kind: 'not-found' });
    });
  });
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
