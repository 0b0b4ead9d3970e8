import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { countDescriptors } from './proc.ts';
import { ensureDirectory, ensureFile, RootedTree, type TreeMount } from './rooted-tree.ts';
import { readPlace } from './walk-tree.ts';

interface Scene extends Disposable {
  /** The root that is opened; `secret` lies beside it. */
  readonly root: string;
  readonly outside: string;
}

function scene(): Scene {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-tree-'));
  const [root, outside] = [join(directory, 'root'), join(directory, 'outside')];
  mkdirSync(join(root, 'd/sub'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(root, 'd/file'), 'inside');
  return { root, outside, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

async function textAt(tree: RootedTree, path: string): Promise<string> {
  using place = await tree.find(path, { follow: true });
  return (await readPlace(place, 1000)) ?? 'no file';
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

describe('RootedTree', () => {
  it('resolves links and dots from its own root', async () => {
    using place = scene();
    symlinkSync('/d/file', join(place.root, 'absolute'));
    symlinkSync('../../../../../../d/file', join(place.root, 'd/sub/up'));
    symlinkSync(join(place.outside, 'secret'), join(place.root, 'out'));
    using tree = await RootedTree.open(place.root);
    for (const path of ['/absolute', '/d/sub/up', '/../../d/file', '/d/sub/../file']) {
      assert.equal(await textAt(tree, path), 'inside', path);
    }
    assert.equal(await codeOf(tree.find('/out', { follow: true })), 'ENOENT');
    using link = await tree.find('/out');
    assert.ok((await link.stats()).isSymbolicLink());
  });

  it('follows no link of /proc that jumps', async () => {
    using place = scene();
    mkdirSync(join(place.root, 'proc'));
    const mounts: TreeMount[] = [
      { kind: 'bind', source: '/proc', target: '/proc', recursive: false, readOnly: 'itself' },
    ];
    using tree = await RootedTree.open(place.root, mounts);
    assert.equal(await codeOf(tree.findDirectory(`/proc/${process.pid}/root`)), 'ELOOP');
    assert.equal(await codeOf(tree.findDirectory(`/proc/${process.pid}/cwd`)), 'ELOOP');
  });

  it('shows mounts that nobody else sees, and takes them along when it is closed', async () => {
    using place = scene();
    mkdirSync(join(place.outside, 'below'));
    writeFileSync(join(place.root, 'd/hosts'), '');
    const mounts: TreeMount[] = [
      { kind: 'bind', source: place.outside, target: '/d/sub', recursive: true, readOnly: 'all-below' },
      { kind: 'bind', source: join(place.outside, 'secret'), target: '/d/hosts', recursive: false, readOnly: 'no' },
      { kind: 'empty-tmpfs', target: '/d/sub/below' },
    ];
    const before = countDescriptors();
    {
      using tree = await RootedTree.open(place.root, mounts);
      assert.equal(await textAt(tree, '/d/sub/secret'), 'secret');
      assert.equal(await textAt(tree, '/d/hosts'), 'secret');
      using directory = await tree.findDirectory('/d/sub');
      assert.equal(await directory.whereabouts(), '/d/sub');
      assert.equal(await codeOf(ensureFile(tree, ['d', 'sub', 'new'], 0o644)), 'EROFS');
      assert.equal(await codeOf(ensureFile(tree, ['d', 'sub', 'below', 'new'], 0o644)), 'EROFS');
      assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(place.root), false);
      assert.deepEqual(readdirSync(join(place.root, 'd/sub')), []);
    }
    assert.equal(countDescriptors(), before);
  });

  it('opens no device', async () => {
    using place = scene();
    const mounts: TreeMount[] = [{ kind: 'bind', source: '/dev', target: '/d', recursive: false, readOnly: 'no' }];
    using tree = await RootedTree.open(place.root, mounts);
    using zero = await tree.find('/d/zero');
    assert.ok((await zero.stats()).isCharacterDevice());
    assert.throws(() => readFileSync(zero.path), { code: 'EACCES' });
  });

  it('says which mount it cannot make, and leaves nothing open', async () => {
    using place = scene();
    const before = countDescriptors();
    const bind = { kind: 'bind', recursive: true, readOnly: 'no' } as const;
    await assert.rejects(RootedTree.open(place.root, [{ ...bind, source: '/nowhere', target: '/d' }]), {
      code: 'ENOENT',
      syscall: 'open_tree',
      path: '/nowhere',
    });
    await assert.rejects(RootedTree.open(place.root, [{ ...bind, source: place.outside, target: '/new/x' }]), {
      code: 'ENOENT',
      syscall: 'openat2',
      path: '/new/x',
    });
    await assert.rejects(RootedTree.open(place.root, [{ ...bind, source: place.outside, target: '/d/file' }]), {
      code: 'EINVAL',
      path: '/d/file',
    });
    await assert.rejects(RootedTree.open(join(place.root, 'nowhere')), { code: 'ENOENT' });
    assert.equal(countDescriptors(), before);
  });

  it('makes directories and files through links, inside', async () => {
    using place = scene();
    symlinkSync('/d', join(place.root, 'link'));
    using tree = await RootedTree.open(place.root);
    using made = await ensureDirectory(tree, ['link', 'a', 'b'], 0o755);
    assert.equal(await made.whereabouts(), '/d/a/b');
    await ensureFile(tree, ['link', 'a', 'file'], 0o644);
    await ensureFile(tree, ['link', 'a', 'file'], 0o644);
    assert.deepEqual(readdirSync(join(place.root, 'd/a')), ['b', 'file']);
  });

  it('refuses what is not one name in a directory', async () => {
    using place = scene();
    using tree = await RootedTree.open(place.root);
    using directory = await tree.findDirectory('/d');
    for (const name of ['', '.', '..', 'a/b', '../x', 'a\0b']) assert.throws(() => directory.child(name), name);
  });

  it('never leads out while a directory and a link to / change places', async () => {
    using place = scene();
    writeFileSync(join(place.root, 'd/secret'), 'inside');
    symlinkSync(place.outside, join(place.root, 'evil'));
    // The same name outside: one look through the link would find it.
    const swap = 'while :; do mv -T d x; mv -T evil d; mv -T d evil; mv -T x d; done';
    const swapper = spawn('sh', ['-c', swap], { cwd: place.root, stdio: 'ignore', detached: true });
    await once(swapper, 'spawn');
    try {
      using tree = await RootedTree.open(place.root);
      const seen = new Map<string, number>();
      const until = performance.now() + 1_500;
      while (performance.now() < until) {
        const text = await textAt(tree, '/d/sub/../secret').catch((error: unknown) =>
          error instanceof Error && 'code' in error ? String(error.code) : 'strange',
        );
        seen.set(text, (seen.get(text) ?? 0) + 1);
      }
      assert.ok((seen.get('inside') ?? 0) > 0, JSON.stringify([...seen]));
      assert.equal(seen.has('secret'), false, JSON.stringify([...seen]));
    } finally {
      await endGroup(swapper);
    }
    assert.ok(existsSync(join(place.outside, 'secret')));
  });
});

/** With the program it has just started: that would go on renaming. */
async function endGroup(shell: ChildProcess): Promise<void> {
  process.kill(-(shell.pid ?? 0), 'SIGKILL');
  await once(shell, 'exit');
}
