import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { makeTemporaryDirectory, removeFile, writeFileAtomically } from './files.ts';
import { runProgram } from './process.ts';
import { SealedProgram } from './sealed-program.ts';

const never = new AbortController().signal;

describe('SealedProgram', () => {
  it('runs the program, cannot be written to, and follows the file', async () => {
    await using directory = await makeTemporaryDirectory();
    const path = `${directory.path}/program`;
    await writeFileAtomically(path, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    using sealed = new SealedProgram(path);
    assert.equal((await runProgram(sealed.runPath(), [], { signal: never })).exitCode, 3);
    assert.equal(sealed.runPath(), sealed.runPath());
    assert.throws(() => openSync(sealed.runPath(), 'r+'), { code: 'EROFS' });
    await writeFileAtomically(path, '#!/bin/sh\nexit 4\n', { mode: 0o755 });
    assert.equal((await runProgram(sealed.runPath(), [], { signal: never })).exitCode, 4);
    await removeFile(path);
    assert.throws(() => sealed.runPath(), { code: 'ENOENT' });
  });

  it('says when there is no such program', () => {
    assert.throws(() => new SealedProgram('/nowhere/program'), { code: 'ENOENT' });
  });
});
