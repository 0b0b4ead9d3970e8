import assert from 'node:assert/strict';
import {
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as native from '../index.js';
import { ended, scratch } from './support.ts';

describe('small files', () => {
  it('are read and written whole', async () => {
    using directory = scratch();
    const path = `${directory.path}/file`;
    for (const size of [0, 1, 4095, 4096, 4097, 200_000]) {
      const content = Buffer.alloc(size, 'x');
      await native.writeSmallFile(path, content, 0o640, constants.O_CREAT | constants.O_TRUNC, size === 1);
      assert.deepEqual(await native.readSmallFile(path, size, 0), content);
      if (size > 0)
        await assert.rejects(native.readSmallFile(path, size - 1, 0), { code: 'EFBIG', syscall: 'read', path });
    }
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.match((await native.readSmallFile('/proc/self/status', 100_000, 0)).toString(), /^Name:/);
  });

  it('that are none are told apart', async () => {
    using directory = scratch();
    const fifo = `${directory.path}/fifo`;
    native.makeNode(fifo, 0o010_600, 0, 0);
    await assert.rejects(native.readSmallFile(fifo, 10, constants.O_NONBLOCK), { code: 'EINVAL' });
    await assert.rejects(native.readSmallFile(`${directory.path}/none`, 10, 0), { code: 'ENOENT', syscall: 'open' });
    await assert.rejects(native.readSmallFile(directory.path, 10, 0), { code: 'EISDIR' });
    writeFileSync(`${directory.path}/there`, 'kept');
    const again = native.writeSmallFile(
      `${directory.path}/there`,
      Buffer.from('x'),
      0o600,
      constants.O_CREAT | constants.O_EXCL,
      false,
    );
    await assert.rejects(again, { code: 'EEXIST', syscall: 'open' });
    assert.equal((await native.readSmallFile(`${directory.path}/there`, 10, 0)).toString(), 'kept');
    await assert.rejects(native.writeSmallFile('/dev/full', Buffer.from('x'), 0o600, 0, false), { code: 'ENOSPC' });
  });

  it('are removed, each with its own outcome', async () => {
    using directory = scratch();
    const at = (name: string): string => join(directory.path, name);
    writeFileSync(at('file'), '');
    mkdirSync(at('full/child'), { recursive: true });
    mkdirSync(at('empty'));
    const { EISDIR, ENOTEMPTY, ENOTDIR } = osConstants.errno;
    assert.deepEqual(await native.removePaths([at('file'), at('none'), at('full')], false), [0, 0, EISDIR]);
    writeFileSync(at('file'), '');
    assert.deepEqual(await native.removePaths([at('full'), at('empty'), at('none'), at('file')], true), [
      ENOTEMPTY,
      0,
      0,
      ENOTDIR,
    ]);
    assert.deepEqual(await native.removePaths([], true), []);
  });

  it('live in memory, and are opened again by their descriptor', () => {
    const fd = native.openMemoryFile('test', Buffer.from('content'));
    assert.equal(readFileSync(`/proc/self/fd/${fd}`, 'utf8'), 'content');
    native.closeDescriptor(fd);
  });

  it('are seen read-only through a mount of their own, and run from there', async () => {
    using directory = scratch();
    const path = `${directory.path}/program`;
    writeFileSync(path, '#!/bin/sh\nexit 9\n', { mode: 0o755 });
    const fd = native.openReadOnly(path);
    assert.throws(() => openSync(`/proc/self/fd/${fd}`, 'r+'), { code: 'EROFS' });
    const own = `/proc/${process.pid}/fd/${fd}`;
    const started = native.spawnProcess([own], [own], {
      env: [],
      cwd: undefined,
      descriptors: [-1, -1, -1],
      session: false,
    });
    assert.deepEqual(await ended(started), { code: 9, signal: 0 });
    native.closeDescriptor(fd);
    assert.throws(() => native.openReadOnly('/nowhere'), { code: 'ENOENT', syscall: 'open_tree', path: '/nowhere' });
  });
});

describe('removeTreePart', () => {
  it('removes all, in as many parts as it takes, and follows no link', async () => {
    using directory = scratch();
    const tree = join(directory.path, 'tree');
    mkdirSync(join(directory.path, 'kept'));
    writeFileSync(join(directory.path, 'kept/file'), '');
    for (const name of ['a/b/c/d', 'e', 'f/g']) {
      mkdirSync(join(tree, name), { recursive: true });
      for (let file = 0; file < 30; file++) writeFileSync(join(tree, name, `${file}`), '');
      symlinkSync('../../kept', join(tree, name, 'link'));
      symlinkSync(join(directory.path, 'kept'), join(tree, name, 'absolute'));
    }
    let parts = 1;
    while (await native.removeTreePart(tree, 10)) parts += 1;
    assert.ok(parts >= 10 && parts < 15, `${parts}`);
    assert.deepEqual(readdirSync(directory.path), ['kept']);
    assert.deepEqual(readdirSync(join(directory.path, 'kept')), ['file']);
    symlinkSync('kept', tree);
    for (const path of [tree, tree, join(directory.path, 'kept')])
      assert.equal(await native.removeTreePart(path, 10), false);
    assert.deepEqual(readdirSync(directory.path), []);
  });

  it('says what it cannot remove', async () => {
    using directory = scratch();
    const deep = join(directory.path, 'deep');
    mkdirSync(join(deep, 'd/'.repeat(200)), { recursive: true });
    await assert.rejects(native.removeTreePart(deep, 1000), { code: 'EMFILE' });
    mkdirSync(join(directory.path, 'busy/mount'), { recursive: true });
    await native.mount('none', join(directory.path, 'busy/mount'), 'tmpfs', 0, '');
    await assert.rejects(native.removeTreePart(join(directory.path, 'busy'), 1000), {
      code: 'EBUSY',
      syscall: 'rmdir',
    });
    await native.umount2(join(directory.path, 'busy/mount'), 0);
  });
});
