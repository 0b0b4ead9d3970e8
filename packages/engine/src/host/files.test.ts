import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isEngineError } from '@fairlead/protocol';
import {
  diskUsageBytes,
  listDirectory,
  lockFile,
  makeDirectory,
  makeLink,
  makeTemporaryDirectory,
  movePath,
  pathExists,
  readFileBounded,
  readTextIfExists,
  removeEmptyDirectory,
  removeFile,
  removeTree,
  watchDirectory,
  writeFileAtomically,
} from './files.ts';

describe('files', { timeout: 20_000 }, () => {
  it('are replaced in one step, and nothing is left when that fails', async () => {
    await using directory = await makeTemporaryDirectory();
    const path = `${directory.path}/file`;
    await writeFileAtomically(path, 'one', { durable: true });
    await writeFileAtomically(path, Buffer.from('two'), { mode: 0o600 });
    assert.equal(await readTextIfExists(path, 3), 'two');
    await makeDirectory(`${directory.path}/taken/by`);
    await assert.rejects(writeFileAtomically(`${directory.path}/taken`, 'x'));
    assert.deepEqual(await listDirectory(directory.path), ['file', 'taken']);
  });

  it('are read up to a limit, also those that claim to be empty', async () => {
    await using directory = await makeTemporaryDirectory();
    await writeFileAtomically(`${directory.path}/file`, 'x'.repeat(100_000));
    assert.equal((await readFileBounded(`${directory.path}/file`, 100_000)).length, 100_000);
    await assert.rejects(
      readFileBounded(`${directory.path}/file`, 99_999),
      (error) => isEngineError(error) && error.kind === 'too-large',
    );
    assert.ok((await readFileBounded('/proc/self/status', 100_000)).length > 100);
    assert.equal(await readTextIfExists(`${directory.path}/file/below`, 10), undefined);
  });

  it('may be absent where that is success', async () => {
    await using directory = await makeTemporaryDirectory();
    const nothing = `${directory.path}/nothing`;
    await removeFile(nothing);
    await removeTree(nothing);
    await removeEmptyDirectory(nothing);
    assert.deepEqual(await listDirectory(nothing), []);
    assert.equal(await pathExists(nothing), false);
    assert.equal(await diskUsageBytes(nothing), 0);
  });

  it('are linked once', async () => {
    await using directory = await makeTemporaryDirectory();
    await makeLink('target', `${directory.path}/link`);
    await makeLink('target', `${directory.path}/link`);
    await assert.rejects(makeLink('other', `${directory.path}/link`), { code: 'EEXIST' });
  });

  it('are locked by one holder', async () => {
    await using directory = await makeTemporaryDirectory();
    const path = `${directory.path}/lock`;
    {
      await using first = await lockFile(path);
      assert.ok(first !== undefined);
      assert.equal(await lockFile(path), undefined);
    }
    await using again = await lockFile(path);
    assert.ok(again !== undefined);
  });
});

describe('watchDirectory', { timeout: 20_000 }, () => {
  it('tells what is there and what comes, and nothing after it is disposed', async () => {
    await using directory = await makeTemporaryDirectory();
    await writeFileAtomically(`${directory.path}/before`, '');
    const seen = new Set<string>();
    const complete = Promise.withResolvers<void>();
    const watch = watchDirectory(
      directory.path,
      (name) => {
        seen.add(name);
        if (['before', 'after', 'moved'].every((wanted) => seen.has(wanted))) complete.resolve();
      },
      complete.reject,
    );
    await writeFileAtomically(`${directory.path}/after`, '');
    await makeDirectory(`${directory.path}/x`);
    await movePath(`${directory.path}/x`, `${directory.path}/moved`);
    await complete.promise;
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
  });

  it('fails when the directory does not exist', () => {
    assert.throws(
      () =>
        watchDirectory(
          '/nowhere',
          () => {},
          () => {},
        ),
      { code: 'ENOENT' },
    );
  });
});
