import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as native from '../index.js';

const { O_DIRECTORY, O_RDONLY } = constants;
const O_PATH = 0o10_000_000;
const IN_ROOT = 16;

function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-views-'));
  mkdirSync(join(path, 'd'));
  writeFileSync(join(path, 'd/f'), 'x');
  symlinkSync('/d', join(path, 'link'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('openInRoot', () => {
  it('resolves links in the root, and refuses what it cannot find', async () => {
    using place = scratch();
    const root = openSync(place.path, O_RDONLY | O_DIRECTORY);
    const fd = await native.openInRoot(root, Buffer.from('/link/../../../link/f'), O_RDONLY, IN_ROOT);
    assert.ok(fstatSync(fd).isFile());
    closeSync(fd);
    const refused = native.openInRoot(root, Buffer.from('/etc/hostname'), O_RDONLY, IN_ROOT);
    await assert.rejects(refused, { code: 'ENOENT', syscall: 'openat2', path: '/etc/hostname' });
    assert.throws(() => native.openInRoot(root, Buffer.from('a\0b'), O_RDONLY, IN_ROOT), TypeError);
    closeSync(root);
  });

  it('takes names that are no UTF-8', async () => {
    using place = scratch();
    const name = Buffer.from([0xff, 0xfe]);
    writeFileSync(Buffer.concat([Buffer.from(`${place.path}/`), name]), '');
    const root = openSync(place.path, O_RDONLY | O_DIRECTORY);
    closeSync(await native.openInRoot(root, name, O_RDONLY, IN_ROOT));
    closeSync(root);
  });
});

describe('openView', () => {
  const bind = { kind: 0, recursive: 1, readOnly: 2 } as const;

  it('holds what was asked for, and nothing of the host', async () => {
    using place = scratch();
    const mounts = [{ ...bind, source: '/proc/self/ns', target: '/d' }];
    const view = await native.openView(place.path, mounts, -1);
    const root = await native.openInRoot(view.root, Buffer.from('/'), O_PATH, IN_ROOT);
    assert.deepEqual(readdirSync(`/proc/self/fd/${root}`), ['d', 'link']);
    assert.ok(readdirSync(`/proc/self/fd/${root}/d`).includes('mnt'));
    for (const fd of [root, view.root, view.namespace]) native.closeDescriptor(fd);
    assert.deepEqual(readdirSync(join(place.path, 'd')), ['f']);
  });

  it('says what it could not make', async () => {
    using place = scratch();
    const missing = native.openView(place.path, [{ ...bind, source: '/nowhere', target: '/d' }], -1);
    await assert.rejects(missing, { code: 'ENOENT', syscall: 'open_tree', path: '/nowhere' });
    assert.throws(() => native.openView(place.path, [{} as never], -1), TypeError);
  });

  it('leaves no descriptor, mount or memory behind, however often it succeeds and fails', async () => {
    using place = scratch();
    const good = [
      { ...bind, source: place.path, target: '/d' },
      { ...bind, kind: 2, source: '', target: '/d/d' } as const,
    ];
    const bad = [...good, { ...bind, source: place.path, target: '/nowhere' }];
    const round = async (): Promise<void> => {
      const view = await native.openView(place.path, good, -1);
      native.closeDescriptor(view.root);
      native.closeDescriptor(view.namespace);
      await native.openView(place.path, bad, -1).catch(() => {});
    };
    for (let count = 0; count < 50; count++) await round();
    const [before, beforeBytes] = [descriptors(), process.memoryUsage.rss()];
    for (let count = 0; count < 300; count++) await round();
    assert.equal(descriptors(), before);
    assert.ok(process.memoryUsage.rss() - beforeBytes < 20 * 1024 * 1024);
    const mounts = execFileSync('cat', ['/proc/self/mountinfo'], { encoding: 'utf8' });
    assert.equal(mounts.includes(place.path), false);
  });
});
