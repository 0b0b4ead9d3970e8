import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listDirectory, makeDirectory, makeTemporaryDirectory, writeFileAtomically } from './files.ts';
import { ensureMounted, isMounted, listMounts, mountPath, parseMountInfo, unmountPath, unmountTree } from './mounts.ts';

describe('parseMountInfo', () => {
  it('reads optional fields, escapes and skips damage', () => {
    const text =
      '36 35 98:0 /mnt1 /mnt\\0402\\134x rw,noatime master:1 shared:2 - ext3 /dev/my\\011root rw,errors=continue\n' +
      '37 35 0:5 / /proc rw - proc proc rw\ngarbage\n36 35 98:0 / /x rw\n';
    assert.deepEqual(
      parseMountInfo(text).map(({ mountId, root, target, type, source }) => ({ mountId, root, target, type, source })),
      [
        { mountId: 36, root: '/mnt1', target: '/mnt 2\\x', type: 'ext3', source: '/dev/my\troot' },
        { mountId: 37, root: '/', target: '/proc', type: 'proc', source: 'proc' },
      ],
    );
  });
});

describe('mounts', () => {
  it('come once, and go, however often that is asked', async () => {
    await using directory = await makeTemporaryDirectory();
    const target = `${directory.path}/with space`;
    await makeDirectory(target);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => unmountTree(directory.path));
    const request = { source: 'fairlead', target, type: 'tmpfs', options: 'size=64k' };
    await ensureMounted(request);
    await ensureMounted(request);
    assert.equal((await listMounts(directory.path)).length, 1);
    await mountPath(request);
    await makeDirectory(`${target}/below`);
    await mountPath({ ...request, target: `${target}/below` });
    assert.deepEqual(
      (await listMounts(directory.path)).map((entry) => entry.target),
      [target, target, `${target}/below`],
    );
    await assert.rejects(unmountPath(target), { code: 'EBUSY' });
    await unmountTree(directory.path);
    assert.equal(await isMounted(target), false);
    await unmountPath(target);
    await unmountPath('/nowhere');
    await writeFileAtomically(`${target}/file`, '');
    assert.deepEqual(await listDirectory(target), ['file']);
  });
});
