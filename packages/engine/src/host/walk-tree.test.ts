import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeTar, shownPath } from '@fairlead/protocol/tar';
import { countDescriptors } from './proc.ts';
import { RootedTree } from './rooted-tree.ts';
import { tarFiles } from './tar-tree.ts';
import { walkTree } from './walk-tree.ts';

const reading = { signal: new AbortController().signal, contentBytesMax: 1000 };

function scratch(): Disposable & { readonly root: string; readonly outside: string } {
  const home = mkdtempSync(join(tmpdir(), 'fairlead-walk-'));
  const [root, outside] = [join(home, 'root'), join(home, 'outside')];
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'what nobody may see');
  return { root, outside, [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }) };
}

async function pathsIn(root: string, onEach: (path: string) => void = () => {}): Promise<string[]> {
  using tree = await RootedTree.open(root);
  using base = await tree.findDirectory('/');
  const paths: string[] = [];
  for await (const entry of walkTree(base, reading)) {
    const path = shownPath(entry.path);
    onEach(path);
    paths.push(path);
  }
  return paths;
}

async function tarOf(root: string): Promise<Buffer> {
  using tree = await RootedTree.open(root);
  using base = await tree.findDirectory('/');
  const chunks: Uint8Array[] = [];
  const files = tarFiles(walkTree(base, reading), { rename: (path) => path, attributes: [] });
  for await (const chunk of encodeTar(files)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('walkTree', () => {
  it('names a directory before what is in it, in the order of bytes, and follows no link', async () => {
    using place = scratch();
    for (const path of ['b/c', 'b-', 'a']) mkdirSync(join(place.root, path), { recursive: true });
    writeFileSync(join(place.root, 'b/c/f'), '');
    symlinkSync(place.outside, join(place.root, 'b/out'));
    writeFileSync(Buffer.concat([Buffer.from(`${place.root}/`), Buffer.from([0xff])]), '');
    const paths = await pathsIn(place.root);
    assert.deepEqual(paths, ['a', 'b', 'b/c', 'b/c/f', 'b/out', 'b-', '\ufffd']);
  });

  it('goes down as deep as the kernel takes paths, with few descriptors, and says when that is not enough', async () => {
    using place = scratch();
    const depth = 1000;
    mkdirSync(join(place.root, 'd/'.repeat(depth)), { recursive: true });
    for (const level of [1, 500, 999]) writeFileSync(join(place.root, `${'d/'.repeat(level)}z`), '');
    const before = countDescriptors();
    let most = 0;
    const paths = await pathsIn(place.root, () => {
      most = Math.max(most, countDescriptors());
    });
    assert.equal(paths.length, depth + 3);
    assert.ok(most - before < 50, `${most - before} descriptors`);
    assert.equal(countDescriptors(), before);
    // Made step by step, no path is too long for the one who makes it.
    execFileSync('perl', ['-e', 'for (1..40) { mkdir "x" x 200; chdir "x" x 200 }'], { cwd: place.root });
    await assert.rejects(pathsIn(place.root), { code: 'ENAMETOOLONG' });
    execFileSync('rm', ['-rf', place.root]);
    assert.equal(countDescriptors(), before);
  });

  it('leaves out what vanishes or becomes a link on the way', async () => {
    using place = scratch();
    for (const name of ['a', 'b', 'c']) {
      mkdirSync(join(place.root, name, 'inner'), { recursive: true });
      writeFileSync(join(place.root, name, 'secret'), '');
    }
    const paths = await pathsIn(place.root, (path) => {
      if (path !== 'a/secret') return;
      rmSync(join(place.root, 'c'), { recursive: true });
      renameSync(join(place.root, 'b'), join(place.root, 'hidden'));
      symlinkSync(place.outside, join(place.root, 'b'));
    });
    assert.ok(!paths.some((path) => /^[bc]\//.test(path)), paths.join(' '));
  });

  it('frees everything when it is left early', async () => {
    using place = scratch();
    mkdirSync(join(place.root, 'a/b/c'), { recursive: true });
    const before = countDescriptors();
    {
      using tree = await RootedTree.open(place.root);
      using base = await tree.findDirectory('/');
      for await (const entry of walkTree(base, reading)) if (entry.path === 'a/b') break;
      assert.equal(countDescriptors(), before + 3);
    }
    assert.equal(countDescriptors(), before);
  });
});

describe('tarFiles', () => {
  it('writes names of one file as hard links, and leaves sockets out', async () => {
    using place = scratch();
    writeFileSync(join(place.root, 'a'), 'content');
    linkSync(join(place.root, 'a'), join(place.root, 'b'));
    symlinkSync('a', join(place.root, 'c'));
    const listed = execFileSync('tar', ['--list', '--verbose', '--numeric-owner'], { input: await tarOf(place.root) });
    const names = listed
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.replace(/^(.).*:\d\d /, '$1 '));
    assert.deepEqual(names, ['- a', 'h b link to a', 'l c -> a']);
  });

  it('holds nothing of what lies outside while a directory and a link to it change places', async () => {
    using place = scratch();
    mkdirSync(join(place.root, 'sub'));
    writeFileSync(join(place.root, 'sub/secret'), 'inside');
    symlinkSync(place.outside, join(place.root, 'evil'));
    const swap = 'while :; do mv -T sub x; mv -T evil sub; mv -T sub evil; mv -T x sub; done';
    const swapper = spawn('sh', ['-c', swap], { cwd: place.root, stdio: 'ignore', detached: true });
    await once(swapper, 'spawn');
    try {
      let rounds = 0;
      for (const until = performance.now() + 1_500; performance.now() < until; rounds++) {
        assert.equal((await tarOf(place.root)).includes('what nobody may see'), false);
      }
      assert.ok(rounds > 3);
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
