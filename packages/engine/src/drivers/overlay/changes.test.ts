import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import type { LayerEntry } from '@fairlead/testkit';
import { getExtendedAttribute, makeDeviceNode, setExtendedAttribute } from '../../host/file-nodes.ts';
import { overlayScene, type OverlayScene } from './test/stack.ts';

const id = containerId('c'.repeat(64));
const again = containerId('d'.repeat(64));
const never = new AbortController().signal;

const lower: readonly LayerEntry[] = [
  { name: 'etc/' },
  { name: 'etc/a', content: 'a' },
  { name: 'etc/b', content: 'b' },
  { name: 'dir/' },
  { name: 'dir/one', content: '1' },
  { name: 'dir/two', content: '2' },
  { name: 'gone', content: 'x' },
];
const upper: readonly LayerEntry[] = [{ name: '.wh.gone' }, { name: 'etc/' }, { name: 'etc/c', content: 'c' }];

async function started(layers: readonly (readonly LayerEntry[])[]): Promise<OverlayScene & { readonly at: string }> {
  const place = await overlayScene();
  await place.snapshots.prepare(id, await place.stack(...layers));
  return { ...place, at: await place.snapshots.mount(id), [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

async function changesOf(place: OverlayScene): Promise<readonly string[]> {
  const letters = { modified: 'C', added: 'A', deleted: 'D' };
  return (await place.snapshots.changes(id, never)).map(({ kind, path }) => `${letters[kind]} ${path}`);
}

async function layerOf(place: OverlayScene): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of place.snapshots.layerTar(id, never)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function namesIn(tar: Buffer): readonly string[] {
  return execFileSync('tar', ['--list'], { input: tar }).toString().trim().split('\n');
}

/** Every path below a root with what it is and holds. */
function contentOf(root: string, below = ''): readonly string[] {
  return readdirSync(join(root, below))
    .toSorted()
    .flatMap((name) => {
      const path = join(below, name);
      const stats = lstatSync(join(root, path));
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isDirectory()) return [`${path}/ ${mode}`, ...contentOf(root, path)];
      return [`${path} ${mode} ${stats.isFile() ? readFileSync(join(root, path), 'utf8') : 'special'}`];
    });
}

interface Case {
  readonly name: string;
  readonly change: (root: string) => void | Promise<void>;
  readonly says: readonly string[];
  readonly names: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'a file that is removed',
    change: (root) => rmSync(join(root, 'etc/a')),
    says: ['C /etc', 'D /etc/a'],
    names: ['etc/', 'etc/.wh.a'],
  },
  {
    name: 'a directory that is removed',
    change: (root) => rmSync(join(root, 'dir'), { recursive: true }),
    says: ['D /dir'],
    names: ['.wh.dir'],
  },
  {
    name: 'a directory that is made anew, and so hides what it held',
    change: (root) => {
      rmSync(join(root, 'dir'), { recursive: true });
      mkdirSync(join(root, 'dir'));
      writeFileSync(join(root, 'dir/one'), 'new');
    },
    says: ['C /dir', 'D /dir/two', 'C /dir/one'],
    names: ['dir/', 'dir/.wh..wh.opq', 'dir/one'],
  },
  {
    name: 'a directory that becomes a file',
    change: (root) => {
      rmSync(join(root, 'dir'), { recursive: true });
      writeFileSync(join(root, 'dir'), '');
    },
    says: ['C /dir'],
    names: ['dir'],
  },
  {
    name: 'a file of an upper layer, and one that a lower layer had and an upper one took away',
    change: (root) => {
      writeFileSync(join(root, 'etc/c'), 'changed');
      writeFileSync(join(root, 'gone'), 'here again');
    },
    says: ['C /etc', 'C /etc/c', 'A /gone'],
    names: ['etc/', 'etc/c', 'gone'],
  },
  {
    name: 'a mode that changed',
    change: (root) => chmodSync(join(root, 'etc'), 0o700),
    says: ['C /etc'],
    names: ['etc/'],
  },
  {
    name: 'what came and went, and what was opened for writing only',
    change: async (root) => {
      writeFileSync(join(root, 'etc/new'), '');
      rmSync(join(root, 'etc/new'));
      await (await open(join(root, 'etc/b'), 'r+')).close();
    },
    says: [],
    names: ['etc/', 'etc/b'],
  },
];

describe('layerChanges and layerTar', () => {
  for (const { name, change, says, names } of cases) {
    it(`tell of ${name}; the layer on its image shows the same files`, async () => {
      await using place = await started([lower, upper]);
      await change(place.at);
      assert.deepEqual(await changesOf(place), says);
      const tar = await layerOf(place);
      assert.deepEqual(namesIn(tar), names);
      // The same layer on the same image, under another container.
      await place.snapshots.unmount(id);
      const chain = await place.stackBytes([lower, upper], tar);
      await place.snapshots.prepare(again, chain);
      const copy = await place.snapshots.mount(again);
      assert.deepEqual(contentOf(copy), contentOf(await place.snapshots.mount(id)));
    });
  }

  it('are silent about the places for the engine’s own mounts', async () => {
    await using place = await started([
      [
        { name: 'etc/', mode: 0o750, uid: 4 },
        { name: 'etc/hosts', content: 'own' },
      ],
    ]);
    const names = readdirSync(place.at).toSorted();
    assert.deepEqual(names, ['.dockerenv', 'dev', 'etc', 'proc', 'sys']);
    assert.deepEqual(readdirSync(join(place.at, 'etc')), ['hostname', 'hosts', 'mtab', 'resolv.conf']);
    assert.equal(readFileSync(join(place.at, 'etc/hosts'), 'utf8'), 'own');
    const { mode, uid, mtime } = lstatSync(join(place.at, 'etc'));
    assert.deepEqual([mode & 0o777, uid, mtime.toISOString()], [0o750, 4, '2024-01-01T00:00:00.000Z']);
    assert.deepEqual(await changesOf(place), []);
    assert.equal((await layerOf(place)).length, 0);
  });

  it('leave places alone where an image has a link or a file in the way', async () => {
    await using place = await started([
      [{ name: 'real/' }, { name: 'etc', type: 'symlink', linkName: 'real' }, { name: 'dev', content: 'a file' }],
    ]);
    assert.deepEqual(readdirSync(join(place.at, 'real')), []);
    assert.ok(lstatSync(join(place.at, 'etc')).isSymbolicLink());
    assert.equal(readFileSync(join(place.at, 'dev'), 'utf8'), 'a file');
    assert.deepEqual(await changesOf(place), []);
  });

  it('keep capabilities and times, and names with many bytes', async () => {
    await using place = await started([lower]);
    const file = join(place.at, 'etc/ünïcode');
    writeFileSync(file, 'x');
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    setExtendedAttribute(file, 'security.capability', capability);
    utimesSync(file, 1_000_000, 1_000_000);
    const tar = await layerOf(place);
    await place.snapshots.unmount(id);
    const chain = await place.stackBytes([lower], tar);
    await place.snapshots.prepare(again, chain);
    const copy = join(await place.snapshots.mount(again), 'etc/ünïcode');
    assert.equal(lstatSync(copy).mtimeMs, 1_000_000_000);
    assert.deepEqual(getExtendedAttribute(copy, 'security.capability'), capability);
  });

  it('refuse to make a layer with a name that means a deleted file', async () => {
    await using place = await started([lower]);
    writeFileSync(join(place.at, 'etc/.wh.a'), '');
    await assert.rejects(layerOf(place), {
      kind: 'invalid-argument',
      message: 'cannot commit "/etc/.wh.a": names with .wh. mean deleted files',
    });
  });

  it('take a device of the container for a device, not for a whiteout', async () => {
    await using place = await started([lower]);
    makeDeviceNode(join(place.at, 'null'), { type: 'character', mode: 0o666, major: 1, minor: 3 });
    assert.deepEqual(await changesOf(place), ['A /null']);
    assert.deepEqual(namesIn(await layerOf(place)), ['null']);
  });
});
