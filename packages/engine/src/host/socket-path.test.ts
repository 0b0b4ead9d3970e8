import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runOrThrow } from './process.ts';
import { bindSocket, claimSocketPath, groupId } from './socket-path.ts';

describe('claimSocketPath', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairlead-socket-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('makes the directory of a socket that is not there', async () => {
    await claimSocketPath(join(folder, 'run', 'x.sock'));
    assert.ok((await stat(join(folder, 'run'))).isDirectory());
  });

  it('refuses a socket on which somebody listens', async () => {
    const path = join(folder, 'live.sock');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    await assert.rejects(claimSocketPath(path), /another engine is listening on .*live\.sock/);
    assert.ok((await stat(path)).isSocket());
    await new Promise((resolve) => server.close(resolve));
  });

  it('removes a socket whose listener was killed', async () => {
    const path = join(folder, 'stale.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await assert.rejects(runOrThrow(process.execPath, ['-e', script], { signal: AbortSignal.timeout(10_000) }));
    assert.ok((await stat(path)).isSocket());
    await claimSocketPath(path);
    await assert.rejects(stat(path), { code: 'ENOENT' });
  });

  it('leaves a file that is no socket alone', async () => {
    const path = join(folder, 'precious');
    await writeFile(path, 'data');
    await assert.rejects(claimSocketPath(path), /exists and is not a socket/);
    assert.ok((await stat(path)).isFile());
  });

  it('refuses a path that the kernel would cut', async () => {
    await assert.rejects(claimSocketPath(join(folder, 'a'.repeat(120))), /longer than 107 bytes/);
  });
});

describe('bindSocket', () => {
  it('puts the mask back, also when binding fails', () => {
    const mask = process.umask();
    assert.throws(() => {
      bindSocket(() => {
        assert.equal(process.umask(), 0o117);
        throw new Error('no');
      });
    });
    assert.equal(process.umask(), mask);
  });
});

describe('groupId', () => {
  const groups = 'root:x:0:\ndocker:x:998:me\nbroken\ndockers:x:7:\n';
  it('finds a group by its exact name', () => {
    assert.equal(groupId(groups, 'docker'), 998);
    assert.equal(groupId(groups, 'dock'), undefined);
    assert.equal(groupId('', 'docker'), undefined);
  });
});
