import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { decodeTar, type TarRecord } from '@fairlead/protocol/tar';
import { packBuildContext } from './build-context.ts';
import { packTree } from './pack-tree.ts';

const home = mkdtempSync(join(tmpdir(), 'context-'));
after(() => rmSync(home, { recursive: true, force: true }));

function directory(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(home, 'd-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

interface Entry extends TarRecord {
  readonly text: string;
}

async function unpacked(tar: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const { record, content } of decodeTar(tar)) {
    const text = Buffer.concat(await Array.fromAsync(content)).toString('utf8');
    found.set(Buffer.from(record.name, 'latin1').toString('utf8'), { ...record, text });
  }
  return found;
}

describe('packBuildContext', () => {
  it('leaves out what .dockerignore names, and never what the engine needs', async () => {
    const root = directory({
      '.dockerignore': '*\n!src\nsrc/**/*.log\n',
      Dockerfile: 'FROM scratch\n',
      'README.md': 'no',
      'src/a.c': 'int main;',
      'src/deep/x.log': 'no',
      'src/deep/b.c': 'b',
    });
    const names = [...(await unpacked(packBuildContext(root, {}))).keys()];
    assert.deepEqual(names, ['.dockerignore', 'Dockerfile', 'src/', 'src/a.c', 'src/deep/', 'src/deep/b.c']);
  });

  it('takes another Dockerfile', async () => {
    const root = directory({ '.dockerignore': 'build\n', 'build/Dockerfile.dev': 'FROM scratch\n', 'build/x': '' });
    const names = [...(await unpacked(packBuildContext(root, { dockerfile: 'build/Dockerfile.dev' }))).keys()];
    assert.deepEqual(names, ['.dockerignore', 'build/Dockerfile.dev']);
  });

  const refused = [
    { what: 'a directory that is not there', root: () => join(home, 'nowhere'), words: /^unable to prepare context/ },
    { what: 'one without a Dockerfile', root: () => directory({ x: '' }), words: /lstat .*Dockerfile: no such file/ },
    {
      what: 'a broken .dockerignore',
      root: () => directory({ Dockerfile: '', '.dockerignore': '[x' }),
      words: /^error checking context/,
    },
  ];
  for (const { what, root, words } of refused) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(unpacked(packBuildContext(root(), {})), { kind: 'invalid-argument', message: words });
    });
  }
});

describe('packTree', () => {
  it('keeps modes, links, sizes and names of any kind', async () => {
    const long = `${'d'.repeat(90)}/${'ü'.repeat(60)}`;
    const root = directory({ run: '#!', empty: '', [long]: 'long', big: 'x'.repeat(1_000_000) });
    chmodSync(join(root, 'run'), 0o4755);
    symlinkSync('../nowhere', join(root, 'link'));
    const files = await unpacked(packTree(root, { ownedByRoot: true }));
    assert.deepEqual([files.get('run')?.mode, files.get('run')?.uid, files.get('empty')?.text], [0o4755, 0, '']);
    assert.deepEqual([files.get('link')?.type, files.get('link')?.linkName], ['symlink', '../nowhere']);
    assert.equal(files.get(long)?.text, 'long');
    assert.equal(files.get('big')?.text.length, 1_000_000);
  });

  it('gives the tree another name', async () => {
    const root = directory({ 'a/b': 'x' });
    assert.deepEqual([...(await unpacked(packTree(root, { name: 'new' }))).keys()], ['new/', 'new/a/', 'new/a/b']);
    assert.deepEqual([...(await unpacked(packTree(join(root, 'a/b'), { name: 'c' }))).keys()], ['c']);
  });
});
