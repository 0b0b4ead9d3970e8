import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listDirectory } from './files.ts';
import { PipeReader } from './pipe-reader.ts';
import { spawnProgram, type Program } from './process.ts';

const PIPE_BYTES = 64 * 1024;

async function started(reader: PipeReader, script: string): Promise<Program> {
  const program = await spawnProgram('sh', ['-c', script], { stdio: ['ignore', reader.writeEnd] });
  reader.handedOver();
  return program;
}

/** Everything to the end; `release` says of which pieces. */
async function readAll(reader: PipeReader, release: (count: number) => boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let count = 0; ; count++) {
    const piece = reader.read();
    if (piece.kind === 'ended') return Buffer.concat(pieces);
    if (piece.kind === 'empty') {
      await new Promise<void>((resolve) => reader.whenReadable(resolve));
      continue;
    }
    pieces.push(Buffer.from(piece.bytes));
    if (release(count)) piece.release?.();
  }
}

describe('PipeReader', { timeout: 20_000 }, () => {
  const programs = [
    { what: 'a word', script: 'printf word', bytes: 4 },
    { what: 'nothing', script: ':', bytes: 0 },
    { what: 'words with pauses', script: 'for i in 1 2 3; do echo $i; sleep 0.05; done', bytes: 6 },
    { what: 'megabytes', script: 'yes | head -c 20000000', bytes: 20_000_000 },
    {
      what: 'some of everything',
      script: 'yes | head -c 1000000; sleep 0.1; echo; yes | head -c 300000',
      bytes: 1_300_001,
    },
  ];
  for (const { what, script, bytes } of programs) {
    it(`reads ${what}, whether buffers are released or not`, async () => {
      for (const release of [() => true, () => false, (count: number) => count % 3 === 0]) {
        using reader = new PipeReader(PIPE_BYTES);
        await using program = await started(reader, script);
        const text = (await readAll(reader, release)).toString();
        assert.equal(text.length, bytes);
        assert.equal(text.replaceAll('y\n', '').length < 10, true);
        assert.equal((await program.exited).exitCode, 0);
      }
    });
  }

  it('does not touch what is not released', async () => {
    using reader = new PipeReader(PIPE_BYTES);
    await using _program = await started(reader, 'yes a | head -c 500000; yes b | head -c 500000');
    const kept: { readonly bytes: Uint8Array; readonly copy: Buffer }[] = [];
    for (let piece = reader.read(); piece.kind !== 'ended'; piece = reader.read()) {
      if (piece.kind === 'empty') await new Promise<void>((resolve) => reader.whenReadable(resolve));
      else kept.push({ bytes: piece.bytes, copy: Buffer.from(piece.bytes) });
    }
    for (const { bytes, copy } of kept) assert.ok(copy.equals(bytes));
  });

  it('makes a program wait that is not read, and lets one go on whose output is thrown away', async () => {
    using reader = new PipeReader(PIPE_BYTES);
    await using program = await started(reader, 'yes | head -c 5000000');
    assert.equal(await Promise.race([program.exited, sleep(200, 'waits')]), 'waits');
    await new Promise<void>((resolve) => reader.discard(resolve));
    assert.equal((await program.exited).exitCode, 0);
  });

  it('leaves no descriptor open', async () => {
    const before = (await listDirectory('/proc/self/fd')).length;
    for (let count = 0; count < 10; count++) {
      using reader = new PipeReader(PIPE_BYTES);
      if (count < 3) continue;
      await using _program = await started(reader, 'echo x; sleep 0.01');
      if (count % 2 === 0) await readAll(reader, () => true);
      else reader.whenReadable(() => {});
    }
    assert.equal((await listDirectory('/proc/self/fd')).length, before);
  });
});
