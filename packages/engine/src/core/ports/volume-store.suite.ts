import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { chmodSync, chownSync, linkSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { VolumeStore } from './volume-store.ts';

/** An empty store, and an empty directory for the root of an image. */
export interface VolumeStoreScene extends AsyncDisposable {
  readonly store: VolumeStore;
  readonly rootPath: string;
}

/** What every store of volumes promises. `open` gives a fresh one. */
export function volumeStoreSuite(name: string, open: () => Promise<VolumeStoreScene>): void {
  describe(`${name} as a VolumeStore`, () => {
    it('makes a directory that others may enter, and again without harm', async () => {
      await using scene = await open();
      const { store } = scene;
      await store.make('one');
      writeFileSync(join(store.path('one'), 'f'), 'x');
      await store.make('one');
      assert.equal(readFileSync(join(store.path('one'), 'f'), 'utf8'), 'x');
      assert.equal(statSync(store.path('one')).mode & 0o7777, 0o755);
      assert.deepEqual(
        (await store.list()).map((volume) => [volume.name, volume.empty]),
        [['one', false]],
      );
      assert.equal(await store.usageBytes('one'), 1);
    });

    it('removes content and all, twice, and what never was', async () => {
      await using scene = await open();
      const { store } = scene;
      await store.make('one');
      mkdirSync(join(store.path('one'), 'd'));
      writeFileSync(join(store.path('one'), 'd/f'), 'x');
      await store.remove('one');
      await store.remove('one');
      await store.remove('never');
      assert.equal(existsSync(store.path('one')), false);
      assert.deepEqual(await store.list(), []);
    });

    it('fills an empty volume with everything the image has there', async () => {
      await using scene = await open();
      const { store, rootPath } = scene;
      const source = imageDirectory(rootPath);
      await store.make('one');
      await store.fill('one', { rootPath, path: '/srv/data', inUse: false });
      assertSameTree(source, store.path('one'));
    });

    it('keeps the directory of a volume in use when it fills it', async () => {
      await using scene = await open();
      const { store, rootPath } = scene;
      const source = imageDirectory(rootPath);
      await store.make('one');
      const { ino } = statSync(store.path('one'));
      await store.fill('one', { rootPath, path: '/srv/data', inUse: true });
      assertSameTree(source, store.path('one'));
      assert.equal(statSync(store.path('one')).ino, ino);
    });

    it('leaves a volume alone that has something in it', async () => {
      await using scene = await open();
      const { store, rootPath } = scene;
      imageDirectory(rootPath);
      await store.make('one');
      writeFileSync(join(store.path('one'), 'mine'), 'x');
      await store.fill('one', { rootPath, path: '/srv/data', inUse: false });
      assert.deepEqual(readdirSync(store.path('one')), ['mine']);
    });

    it('leaves it empty where the image has nothing', async () => {
      await using scene = await open();
      const { store, rootPath } = scene;
      await store.make('one');
      await store.fill('one', { rootPath, path: '/nothing/here', inUse: false });
      assert.deepEqual(readdirSync(store.path('one')), []);
    });

    it('follows links of the image inside its root and nowhere else', async () => {
      await using scene = await open();
      const { store, rootPath } = scene;
      imageDirectory(rootPath);
      symlinkSync('/srv', join(rootPath, 'link'));
      symlinkSync('../../../../../etc', join(rootPath, 'out'));
      await store.make('one');
      await store.fill('one', { rootPath, path: '/link/data', inUse: false });
      assert.ok(existsSync(join(store.path('one'), 'f')));
      await store.make('two');
      await store.fill('two', { rootPath, path: '/out', inUse: false });
      assert.deepEqual(readdirSync(store.path('two')), []);
    });

    it('refuses to stand in for a file', async () => {
      await using scene = await open();
      const { store, rootPath } = scene;
      writeFileSync(join(rootPath, 'file'), '');
      await store.make('one');
      await assert.rejects(store.fill('one', { rootPath, path: '/file', inUse: false }), {
        kind: 'internal',
        message: 'cannot mount volume over existing file, file exists /file',
      });
    });

    it('mounts once, shows what is mounted, and unmounts, twice', async () => {
      await using scene = await open();
      const { store } = scene;
      await store.make('one');
      const request = { type: 'tmpfs', device: 'tmpfs', options: 'size=64k,nosuid,mode=750' };
      await store.mount('one', request);
      await store.mount('one', request);
      assert.equal(statSync(store.path('one')).mode & 0o7777, 0o750);
      writeFileSync(join(store.path('one'), 'f'), 'x');
      await store.unmount('one');
      await store.unmount('one');
      assert.deepEqual(readdirSync(store.path('one')), []);
    });

    it("says in Docker's words why it cannot mount", async () => {
      await using scene = await open();
      const { store } = scene;
      await store.make('one');
      const path = store.path('one');
      const mounting = store.mount('one', { type: 'none', device: '/no/such', options: 'bind,ro' });
      const reason = `mount /no/such:${path}, flags: 0x1001: no such file or directory`;
      await assert.rejects(mounting, {
        kind: 'internal',
        message: `error while mounting volume '${path}': failed to mount local volume: ${reason}`,
      });
    });

    it('does not delete what is mounted', async () => {
      await using scene = await open();
      const { store, rootPath } = scene;
      const source = imageDirectory(rootPath);
      await store.make('one');
      await store.mount('one', { type: 'none', device: source, options: 'bind' });
      await store.remove('one');
      assert.ok(existsSync(join(source, 'f')));
      assert.deepEqual(await store.list(), []);
    });
  });
}

/** @returns the host path of /srv/data, with a file, a link, a hard link, a directory and owners of their own. */
function imageDirectory(rootPath: string): string {
  const path = join(rootPath, 'srv/data');
  mkdirSync(join(path, 'd'), { recursive: true });
  writeFileSync(join(path, 'f'), 'content');
  chmodSync(join(path, 'f'), 0o4755);
  linkSync(join(path, 'f'), join(path, 'd/same'));
  symlinkSync('/etc/passwd', join(path, 'link'));
  chownSync(join(path, 'd'), 1000, 1001);
  utimesSync(join(path, 'd/same'), 1000, 2000);
  chownSync(path, 70, 71);
  chmodSync(path, 0o1700);
  return path;
}

function assertSameTree(source: string, copy: string): void {
  for (const name of ['', 'f', 'd', 'd/same', 'link']) {
    const [expected, found] = [lstatSync(join(source, name)), lstatSync(join(copy, name))];
    assert.deepEqual(
      [name, found.mode, found.uid, found.gid, found.isDirectory() ? 0 : found.size],
      [name, expected.mode, expected.uid, expected.gid, expected.isDirectory() ? 0 : expected.size],
    );
  }
  assert.equal(lstatSync(join(copy, 'f')).ino, lstatSync(join(copy, 'd/same')).ino);
  assert.equal(statSync(join(copy, 'f')).mtimeMs, 2_000_000);
}
