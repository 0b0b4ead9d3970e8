import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { encodeTar, type TarFile, type TarRecord } from '@fairlead/protocol/tar';
import { unpackTree } from './unpack-tree.ts';

const home = mkdtempSync(join(tmpdir(), 'unpack-'));
after(() => rmSync(home, { recursive: true, force: true }));

type Entry = Partial<Omit<TarRecord, 'name'>> & { readonly name: string; readonly text?: string };

function tarOf(...entries: readonly Entry[]): AsyncIterable<Uint8Array> {
  async function* files(): AsyncGenerator<TarFile, void, undefined> {
    for (const { text = '', ...entry } of entries) {
      const content = Buffer.from(text);
      yield {
        record: {
          type: 'file',
          mode: 0o644,
          uid: 0,
          gid: 0,
          sizeBytes: content.byteLength,
          modifiedAt: new Date(1_000_000_000_000),
          accessedAt: undefined,
          linkName: '',
          major: 0,
          minor: 0,
          attributes: new Map(),
          ...entry,
        },
        content: (async function* one(): AsyncGenerator<Uint8Array, void, undefined> {
          yield content;
        })(),
      };
    }
  }
  return encodeTar(files());
}

function place(): string {
  const root = join(mkdtempSync(join(home, 'p-')), 'in');
  mkdirSync(root);
  return root;
}

describe('unpackTree', () => {
  it('makes what is in the tar, with modes and times, whatever order it comes in', async () => {
    const root = place();
    const tar = tarOf(
      { name: 'd/e/f', text: 'deep', mode: 0o4711 },
      { name: 'd/', type: 'directory', mode: 0o700 },
      { name: 'link', type: 'symlink', linkName: 'd/e/f' },
      { name: 'hard', type: 'hardlink', linkName: 'd/e/f' },
      { name: 'fifo', type: 'fifo' },
      { name: '/rooted', text: 'x' },
    );
    assert.deepEqual(await unpackTree(tar, root), ['fifo']);
    assert.deepEqual(
      [readFileSync(join(root, 'link'), 'utf8'), readFileSync(join(root, 'hard'), 'utf8')],
      ['deep', 'deep'],
    );
    assert.equal(statSync(join(root, 'd/e/f')).mode & 0o7777, 0o4711);
    assert.equal(statSync(join(root, 'd')).mode & 0o7777, 0o700);
    assert.equal(statSync(join(root, 'd')).mtimeMs, 1_000_000_000_000);
    assert.ok(existsSync(join(root, 'rooted')));
  });

  it('replaces files and links, not what they point to', async () => {
    const root = place();
    writeFileSync(join(root, '../outside'), 'mine');
    symlinkSync('../outside', join(root, 'link'));
    await unpackTree(tarOf({ name: 'link', text: 'new' }), root);
    assert.deepEqual(
      [readFileSync(join(root, 'link'), 'utf8'), readFileSync(join(root, '../outside'), 'utf8')],
      ['new', 'mine'],
    );
  });

  const hostile: readonly (readonly [string, readonly Entry[]])[] = [
    ['a name that leads out', [{ name: '../outside', text: 'x' }]],
    ['a name that leads out later', [{ name: 'a/../../outside', text: 'x' }]],
    [
      'a path through a link',
      [
        { name: 'l', type: 'symlink', linkName: '..' },
        { name: 'l/outside', text: 'x' },
      ],
    ],
    [
      'a directory in the place of a link',
      [
        { name: 'l', type: 'symlink', linkName: '..' },
        { name: 'l/', type: 'directory' },
      ],
    ],
    ['a hard link to what is outside', [{ name: 'h', type: 'hardlink', linkName: '../secret' }]],
    [
      'a hard link through a link',
      [
        { name: 'l', type: 'symlink', linkName: '..' },
        { name: 'h', type: 'hardlink', linkName: 'l/secret' },
      ],
    ],
    [
      'a file in the place of a directory',
      [
        { name: 'd/', type: 'directory' },
        { name: 'd', text: 'x' },
      ],
    ],
  ];
  for (const [what, entries] of hostile) {
    it(`refuses ${what}`, async () => {
      const root = place();
      writeFileSync(join(root, '../secret'), 'secret');
      await assert.rejects(unpackTree(tarOf(...entries), root), /leads out|not a directory|cannot overwrite/);
      assert.equal(existsSync(join(root, '../outside')), false);
      assert.equal(existsSync(join(root, 'h')), false);
    });
  }

  it('keeps a link that points out as it is: nothing is written through it', async () => {
    const root = place();
    await unpackTree(tarOf({ name: 'l', type: 'symlink', linkName: '/etc/passwd' }), root);
    assert.equal(readlinkSync(join(root, 'l')), '/etc/passwd');
  });

  it('gives names to the first part of the path, or leaves it out', async () => {
    const root = place();
    const rename = (name: string): string | undefined => (name.startsWith('a') ? name.replace(/^a/, 'b') : undefined);
    await unpackTree(tarOf({ name: 'a/x', text: '1' }, { name: 'c', text: '2' }), root, { rename });
    assert.deepEqual([existsSync(join(root, 'b/x')), existsSync(join(root, 'c'))], [true, false]);
  });
});
