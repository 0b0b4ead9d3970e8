import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layerTar } from '@fairlead/testkit';
import type { FilesystemView, ViewMount } from '../../core/ports/container-filesystem.ts';
import { setExtendedAttribute } from '../../host/file-nodes.ts';
import { resolveLink } from './resolve-link.ts';
import { treeFilesystem } from './tree-filesystem.ts';

const never = new AbortController().signal;

interface Scene extends Disposable {
  readonly root: string;
  readonly host: string;
  open(...mounts: readonly ViewMount[]): Promise<FilesystemView>;
}

function scene(): Scene {
  const home = mkdtempSync(join(tmpdir(), 'fairlead-view-'));
  const [root, host] = [join(home, 'root'), join(home, 'host')];
  mkdirSync(join(root, 'd'), { recursive: true });
  mkdirSync(host);
  writeFileSync(join(host, 'file'), 'of the host');
  return {
    root,
    host,
    open: (...mounts) => treeFilesystem.open({ rootPath: root, mounts, process: undefined }),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

function bind(source: string, target: string, readOnly: 'no' | 'all-below' = 'no'): ViewMount {
  return { kind: 'bind', source, target, recursive: true, readOnly };
}

async function tarOf(view: FilesystemView, path: string, name?: string): Promise<Buffer> {
  using found = await view.find(path);
  assert.ok(found !== undefined, path);
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.archive({ name, signal: never })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function listed(tar: Buffer): readonly string[] {
  const names = execFileSync('tar', ['--list', '--absolute-names'], { input: tar, encoding: 'utf8' });
  return names.split('\n').filter((name) => name !== '');
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

describe('treeFilesystem', () => {
  it('makes the places for mounts where the container will see them, directories and files', async () => {
    using place = scene();
    symlinkSync('/real', join(place.root, 'link'));
    mkdirSync(join(place.root, 'real'));
    using view = await place.open(
      bind(join(place.host, 'file'), '/link/new/file'),
      bind(place.host, '/data'),
      bind(join(place.host, 'file'), '/data/deep/file'),
      { kind: 'tmpfs', target: '/data/tmp' },
    );
    assert.equal(await view.readText('/real/new/file', 100), 'of the host');
    assert.equal(await view.readText('/data/deep/file', 100), 'of the host');
    assert.ok(lstatSync(join(place.root, 'real/new/file')).isFile());
    assert.ok(lstatSync(join(place.host, 'deep/file')).isFile());
    assert.ok(lstatSync(join(place.host, 'tmp')).isDirectory());
    assert.equal(existsSync(join(place.root, 'data/deep')), false);
  });

  it('says which source is gone, and which place cannot be made', async () => {
    using place = scene();
    await assert.rejects(place.open(bind('/nowhere', '/d')), {
      kind: 'invalid-argument',
      message: 'invalid mount config for type "bind": bind source path does not exist: /nowhere',
    });
    writeFileSync(join(place.root, 'file'), '');
    await assert.rejects(place.open(bind(place.host, '/file/below')), {
      kind: 'internal',
      message: "cannot show the container's files: ENOTDIR: not a directory, openat2 '/file/below'",
    });
    await assert.rejects(place.open(bind(place.host, '/d', 'all-below'), bind(place.host, '/d/new')), {
      code: 'EROFS',
    });
  });

  it('names entries as asked, and keeps capabilities of one file and of many', async () => {
    using place = scene();
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    writeFileSync(join(place.root, 'd/ping'), 'x', { mode: 0o755 });
    setExtendedAttribute(join(place.root, 'd/ping'), 'security.capability', capability);
    using view = await place.open();
    assert.deepEqual(listed(await tarOf(view, '/d', 'other')), ['other/', 'other/ping']);
    assert.deepEqual(listed(await tarOf(view, '/', '/')), ['/', '/d/', '/d/ping']);
    assert.deepEqual(listed(await tarOf(view, '/')), ['d/', 'd/ping']);
    for (const path of ['/d/ping', '/d']) {
      assert.ok((await tarOf(view, path, 'x')).includes('SCHILY.xattr.security.capability='), path);
    }
  });

  it('archives what it found, whatever its path means by then', async () => {
    using place = scene();
    writeFileSync(join(place.root, 'd/file'), 'first');
    using view = await place.open();
    using found = await view.find('/d');
    assert.ok(found !== undefined);
    rmSync(join(place.root, 'd/file'));
    execFileSync('mv', [join(place.root, 'd'), join(place.root, 'moved')]);
    symlinkSync(place.host, join(place.root, 'd'));
    writeFileSync(join(place.root, 'moved/second'), '');
    const chunks: Uint8Array[] = [];
    for await (const chunk of found.archive({ name: 'd', signal: never })) chunks.push(chunk);
    assert.deepEqual(listed(Buffer.concat(chunks)), ['d/', 'd/second']);
  });

  it('unpacks into the directory that a link leads to, and says where that is', async () => {
    using place = scene();
    symlinkSync('d', join(place.root, 'link'));
    using view = await place.open();
    using directory = await view.directory('/link');
    assert.equal(directory.path, '/d');
    const bytes = await layerTar([{ name: 'f', content: 'x' }]);
    await directory.unpack(once(bytes), { keepTypes: true, owner: { uid: 5, gid: 6 }, signal: never });
    assert.equal(readFileSync(join(place.root, 'd/f'), 'utf8'), 'x');
    writeFileSync(join(place.root, 'file'), '');
    await assert.rejects(view.directory('/file'), {
      kind: 'invalid-argument',
      message: 'extraction point is not a directory',
    });
    await assert.rejects(view.directory('/nope'), { code: 'ENOENT' });
  });

  it('tells facts about links, and reads only files', async () => {
    using place = scene();
    symlinkSync('../../d', join(place.root, 'd/up'));
    using view = await place.open();
    using link = await view.find('/d/up');
    assert.equal(link?.facts.linkTarget, '/d');
    using through = await view.find('/d/up/');
    assert.equal((through?.facts.mode ?? 0) & 0o170_000, 0o040_000);
    assert.equal(await view.find('/nope'), undefined);
    assert.equal(await view.readText('/d', 100), undefined);
    assert.equal(await view.readText('/d/nope', 100), undefined);
  });
});

describe('resolveLink', () => {
  const links: Readonly<Record<string, string>> = {
    '/d/rel': 'f',
    '/abs': '/d',
    '/d/out': '../../../../etc/passwd',
    '/loop': 'loop',
    '/dangling': '/nowhere/../x/./y',
    '/chain': 'abs/rel',
  };
  const cases = [
    { path: '/d/rel', aim: '/d/f' },
    { path: '/abs/rel', aim: '/d/f' },
    { path: '/chain', aim: '/d/f' },
    { path: '/d/out', aim: '/etc/passwd' },
    { path: '/dangling', aim: '/x/y' },
    { path: '/', aim: '/' },
    { path: '/plain/path', aim: '/plain/path' },
  ];
  for (const { path, aim } of cases) {
    it(`${path} leads to ${aim}`, async () => assert.equal(await resolveLink(path, async (at) => links[at]), aim));
  }

  it('ends with a loop', async () => {
    await assert.rejects(
      resolveLink('/loop', async (at) => links[at]),
      { kind: 'internal', message: 'too many links' },
    );
  });
});
