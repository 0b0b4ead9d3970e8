import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LAYER_TIME, layerTar, type LayerEntry } from '@fairlead/testkit';
import { getExtendedAttribute } from './file-nodes.ts';
import { countDescriptors } from './proc.ts';
import { RootedTree } from './rooted-tree.ts';
import { unpackInto, type UnpackInto } from './unpack-into.ts';

const never = new AbortController().signal;

interface Scene extends Disposable {
  readonly root: string;
  readonly outside: string;
  /** Unpacks into `/d` unless `directory` says where. @returns what it was refused with. */
  unpack(entries: readonly LayerEntry[], how?: How): Promise<string | undefined>;
}

type How = Partial<Pick<UnpackInto, 'keepTypes' | 'owner' | 'signal'>> & { readonly directory?: string };

function scene(): Scene {
  const home = mkdtempSync(join(tmpdir(), 'fairlead-unpack-'));
  const [root, outside] = [join(home, 'root'), join(home, 'outside')];
  mkdirSync(join(root, 'd'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'untouched');
  return {
    root,
    outside,
    async unpack(entries, how = {}) {
      const bytes = await layerTar(entries);
      using tree = await RootedTree.open(root);
      using directory = await tree.findDirectory(how.directory ?? '/d');
      const into = {
        directory,
        path: await directory.whereabouts(),
        keepTypes: false,
        owner: undefined,
        signal: never,
      };
      try {
        await unpackInto(tree, inChunks(bytes), { ...into, ...how, directory });
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += 1000) yield bytes.subarray(at, at + 1000);
}

describe('unpackInto', () => {
  it('keeps owner, mode, times, links, attributes, devices and FIFOs', async () => {
    using place = scene();
    const said = await place.unpack([
      { name: 'bin/', mode: 0o1751, uid: 7, gid: 8 },
      { name: 'bin/su', mode: 0o4755, uid: 9, content: 'x', attributes: { 'user.note': 'kept' } },
      { name: 'bin/same', type: 'link', linkName: 'bin/su' },
      { name: 'bin/sh', type: 'symlink', linkName: 'su', uid: 5 },
      { name: 'null', type: 'character-device', device: { major: 1, minor: 3 }, mode: 0o666 },
      { name: 'pipe', type: 'fifo', mode: 0o622 },
    ]);
    assert.equal(said, undefined);
    const at = (path: string): Stats => lstatSync(join(place.root, 'd', path));
    const bin = at('bin');
    assert.deepEqual([bin.mode & 0o7777, bin.uid, bin.gid, bin.mtime], [0o1751, 7, 8, LAYER_TIME]);
    assert.deepEqual([at('bin/su').mode & 0o7777, at('bin/su').uid, at('bin/su').mtime], [0o4755, 9, LAYER_TIME]);
    assert.equal(at('bin/same').ino, at('bin/su').ino);
    assert.deepEqual(
      [readlinkSync(join(place.root, 'd/bin/sh')), at('bin/sh').uid, at('bin/sh').mtime],
      ['su', 5, LAYER_TIME],
    );
    assert.deepEqual([at('null').isCharacterDevice(), at('null').rdev, at('null').mode & 0o777], [true, 0x103, 0o666]);
    assert.deepEqual([at('pipe').isFIFO(), at('pipe').mode & 0o777], [true, 0o622]);
    assert.equal(getExtendedAttribute(join(place.root, 'd/bin/su'), 'user.note')?.toString(), 'kept');
  });

  const refused: readonly { readonly name: string; readonly entries: readonly LayerEntry[]; readonly says: string }[] =
    [
      { name: 'a name that leads out', entries: [{ name: '../../evil' }], says: '"../../evil" is outside of "/d"' },
      { name: 'one in the middle', entries: [{ name: 'a/../../evil' }], says: '"../evil" is outside of "/d"' },
      {
        name: 'a relative link that leads out',
        entries: [{ name: 'l', type: 'symlink', linkName: '../x' }],
        says: 'invalid symlink "/d/l" -> "../x"',
      },
      {
        name: 'a hard link that leads out',
        entries: [{ name: 'l', type: 'link', linkName: '../../etc/passwd' }],
        says: 'invalid hardlink "/etc/passwd" -> "../../etc/passwd"',
      },
    ];
  for (const { name, entries, says } of refused) {
    it(`refuses ${name}`, async () => {
      using place = scene();
      assert.equal(await place.unpack(entries), says);
      assert.deepEqual(readdirSync(place.outside), ['secret']);
      assert.deepEqual(readdirSync(place.root), ['d']);
    });
  }

  it('puts absolute names behind the directory', async () => {
    using place = scene();
    await place.unpack([{ name: '/etc/evil', content: 'x' }]);
    assert.equal(readFileSync(join(place.root, 'd/etc/evil'), 'utf8'), 'x');
  });

  it('writes through links inside the root only', async () => {
    using place = scene();
    mkdirSync(join(place.root, 'real'));
    symlinkSync('/real', join(place.root, 'd/inside'));
    symlinkSync(place.outside, join(place.root, 'd/out'));
    assert.equal(await place.unpack([{ name: 'inside/f', content: 'x' }]), undefined);
    assert.equal(readFileSync(join(place.root, 'real/f'), 'utf8'), 'x');
    // The target of the link is no place in the root: so it is a link to nothing.
    assert.match((await place.unpack([{ name: 'out/evil' }])) ?? '', /^E(EXIST|NOENT)/);
    assert.match(
      (await place.unpack([{ name: 'l', type: 'symlink', linkName: place.outside }, { name: 'l/evil' }])) ?? '',
      /^E/,
    );
    assert.deepEqual(readdirSync(place.outside), ['secret']);
  });

  it('makes no hard link to what lies outside, also through a link', async () => {
    using place = scene();
    symlinkSync(place.outside, join(place.root, 'd/out'));
    assert.match((await place.unpack([{ name: 'l', type: 'link', linkName: 'out/secret' }])) ?? '', /^ENOENT/);
  });

  it('replaces what is in the way, merges directories, and removes links, not what they point at', async () => {
    using place = scene();
    mkdirSync(join(place.root, 'd/dir/deep/er'), { recursive: true });
    writeFileSync(join(place.root, 'd/dir/kept'), 'kept');
    writeFileSync(join(place.root, 'd/file'), 'old');
    symlinkSync(place.outside, join(place.root, 'd/dir/deep/link'));
    assert.equal(
      await place.unpack([
        { name: 'dir/', mode: 0o700 },
        { name: 'file', content: 'new' },
      ]),
      undefined,
    );
    assert.equal(readFileSync(join(place.root, 'd/dir/kept'), 'utf8'), 'kept');
    assert.equal(lstatSync(join(place.root, 'd/dir')).mode & 0o777, 0o700);
    assert.equal(readFileSync(join(place.root, 'd/file'), 'utf8'), 'new');
    assert.equal(await place.unpack([{ name: 'dir', content: 'a file now' }, { name: 'file/' }]), undefined);
    assert.deepEqual(
      [lstatSync(join(place.root, 'd/dir')).isFile(), lstatSync(join(place.root, 'd/file')).isDirectory()],
      [true, true],
    );
    assert.deepEqual(readdirSync(place.outside), ['secret']);
  });

  it('keeps types when asked to', async () => {
    using place = scene();
    mkdirSync(join(place.root, 'd/sub'));
    writeFileSync(join(place.root, 'd/file'), '');
    assert.equal(
      await place.unpack([{ name: 'sub', content: '' }], { keepTypes: true }),
      'cannot overwrite directory "/d/sub" with non-directory "/d"',
    );
    assert.equal(
      await place.unpack([{ name: 'file/' }], { keepTypes: true }),
      'cannot overwrite non-directory "/d/file" with directory "/d"',
    );
  });

  it('gives everything to one owner, and leaves out what would speak to overlayfs', async () => {
    using place = scene();
    const attributes = { 'trusted.overlay.opaque': 'y', 'user.x': '1' };
    await place.unpack(
      [
        { name: 'a/', uid: 1, attributes },
        { name: 'a/f', gid: 3 },
      ],
      { owner: { uid: 11, gid: 12 } },
    );
    for (const path of ['d/a', 'd/a/f']) {
      const { uid, gid } = lstatSync(join(place.root, path));
      assert.deepEqual([uid, gid], [11, 12]);
    }
    assert.equal(getExtendedAttribute(join(place.root, 'd/a'), 'trusted.overlay.opaque'), undefined);
  });

  it('leaves the directory itself as it is', async () => {
    using place = scene();
    chmodSync(join(place.root, 'd'), 0o711);
    await place.unpack([{ name: './', mode: 0o777, uid: 5 }, { name: './f' }]);
    const { mode, uid } = lstatSync(join(place.root, 'd'));
    assert.deepEqual([mode & 0o777, uid], [0o711, 0]);
  });

  it('takes names that lead to the root for the root when it unpacks there', async () => {
    using place = scene();
    assert.equal(await place.unpack([{ name: '../../f', content: 'x' }], { directory: '/' }), undefined);
    assert.equal(readFileSync(join(place.root, 'f'), 'utf8'), 'x');
  });

  it('ends with the reason when it is aborted, and leaves nothing open', async () => {
    using place = scene();
    const before = countDescriptors();
    const signal = AbortSignal.abort(new Error('enough'));
    assert.equal(await place.unpack([{ name: 'f', content: 'x' }], { signal }), 'enough');
    assert.equal(countDescriptors(), before);
  });

  it('never writes outside while a directory and a link to / change places', async () => {
    using place = scene();
    mkdirSync(join(place.root, 'd/sub'));
    symlinkSync(place.outside, join(place.root, 'd/evil'));
    const swap = 'while :; do mv -T sub x; mv -T evil sub; mv -T sub evil; mv -T x sub; done';
    const swapper = spawn('sh', ['-c', swap], { cwd: join(place.root, 'd'), stdio: 'ignore', detached: true });
    await once(swapper, 'spawn');
    try {
      const entries: LayerEntry[] = Array.from({ length: 20 }, (_, index) => ({ name: `sub/f${index}`, content: 'x' }));
      const outcomes = new Set<string | undefined>();
      for (const until = performance.now() + 1_500; performance.now() < until;) {
        outcomes.add((await place.unpack(entries))?.split(':')[0]);
        await place.unpack([{ name: 'sub', content: 'replaces whatever is there' }, { name: 'sub/' }]);
      }
      assert.deepEqual(readdirSync(place.outside), ['secret'], JSON.stringify([...outcomes]));
      assert.equal(readFileSync(join(place.outside, 'secret'), 'utf8'), 'untouched');
    } finally {
      await endGroup(swapper);
    }
  });
});

/** With the program it has just started: that would go on renaming. */
async function endGroup(shell: ChildProcess): Promise<void> {
  process.kill(-(shell.pid ?? 0), 'SIGKILL');
  await once(shell, 'exit');
}
