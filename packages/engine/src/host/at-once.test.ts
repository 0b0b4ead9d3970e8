import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { existsAtOnce, modifiedAtOnce, readTextAtOnce, releaseReader } from './at-once.ts';
import { makeTemporaryDirectory, pathExists, writeFileAtomically } from './files.ts';
import { makeDeviceNode } from './file-nodes.ts';
import { runProgram } from './process.ts';
import { setTimeout as sleep } from 'node:timers/promises';

const never = new AbortController().signal;

describe('files at once', () => {
  it('are read, or are not there', async () => {
    await using directory = await makeTemporaryDirectory();
    const path = `${directory.path}/file`;
    assert.deepEqual([readTextAtOnce(path), modifiedAtOnce(path), existsAtOnce(path)], [undefined, undefined, false]);
    await writeFileAtomically(path, 'é');
    assert.deepEqual([readTextAtOnce(path), existsAtOnce(path)], ['é', true]);
    assert.ok(Math.abs(Date.now() - Number(modifiedAtOnce(path))) < 5000);
  });
});

describe('releaseReader', { timeout: 10_000 }, () => {
  it('lets a reader go on, once', async () => {
    await using directory = await makeTemporaryDirectory();
    const path = `${directory.path}/fifo`;
    makeDeviceNode(path, { type: 'fifo', mode: 0o600, major: 0, minor: 0 });
    assert.equal(releaseReader(path), 'nobody');
    assert.equal(await pathExists(path), true);
    const reader = runProgram('sh', ['-c', 'exec 3<>"$0"; echo; head -c 1 <&3 | wc -c', path], { signal: never });
    while (releaseReader(path) === 'nobody') await sleep(5);
    assert.equal((await reader).stdout.trim(), '1');
    assert.equal(releaseReader(path), 'nobody');
    assert.equal(await pathExists(path), false);
  });
});
