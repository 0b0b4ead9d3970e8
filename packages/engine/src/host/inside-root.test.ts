import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeDeviceNode } from './file-nodes.ts';
import { makeDirectory, makeLink, makeTemporaryDirectory, writePlainFile } from './files.ts';
import { readInsideRoot } from './inside-root.ts';

describe('readInsideRoot', { timeout: 10_000 }, () => {
  it('reads what is inside, and never what is outside', async () => {
    await using place = await makeTemporaryDirectory();
    const root = `${place.path}/root`;
    await makeDirectory(`${root}/etc`);
    await writePlainFile(`${place.path}/secret`, 'secret', 0o600);
    await writePlainFile(`${root}/etc/passwd`, 'inside', 0o600);
    const links = {
      absolute: '/etc/passwd',
      up: '../../../etc/passwd',
      out: '../../secret',
      host: `${place.path}/secret`,
      loop: 'loop',
    };
    for (const [name, target] of Object.entries(links)) await makeLink(target, `${root}/etc/${name}`);
    makeDeviceNode(`${root}/etc/fifo`, { type: 'fifo', mode: 0o600, major: 0, minor: 0 });
    const cases = [
      { path: '/etc/passwd', text: 'inside' },
      { path: 'etc/passwd', text: 'inside' },
      { path: '/../../etc/passwd', text: 'inside' },
      { path: '/etc/absolute', text: 'inside' },
      { path: '/etc/up', text: 'inside' },
      ...['out', 'host', 'loop', 'fifo', 'none', 'passwd/x', ''].map((name) => ({
        path: `/etc/${name}`,
        text: undefined,
      })),
    ];
    for (const { path, text } of cases) {
      const read = await readInsideRoot(root, path, 100);
      assert.equal(read, text, path);
    }
    assert.equal(await readInsideRoot(`${root}/none`, '/etc/passwd', 100), undefined);
    await assert.rejects(readInsideRoot(root, '/etc/passwd', 5), { kind: 'too-large' });
  });
});
