import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { noCrashPoints } from '../../lib/crash-point.ts';
import { silentFleetLog } from '../../lib/log.ts';
import { JournalBook } from './book.ts';
import { decodeJournal, encodeBatch } from './codec/journal-lines.ts';
import { Journal } from './journal.ts';
import type { JournalRecord } from './record.ts';

const at = { bootId: 'b', ms: 1 };
const ops = ['op_a', 'op_b', 'op_c'] as const;

function received(op: string, name = 'local'): JournalRecord {
  const actor = { name, role: 'admin' } as const;
  return {
    kind: 'RECEIVED',
    op,
    at,
    message: { operationId: op, command: { verb: 'noop' }, actor, mode: 'live' },
  };
}

const record: fc.Arbitrary<JournalRecord> = fc
  .tuple(fc.constantFrom(...ops), fc.nat(6), fc.nat(9))
  .map(([op, kind, seq]) => {
    const evidence = { graceMs: null, boundMs: 100, startedAt: at };
    const records: readonly JournalRecord[] = [
      received(op),
      { kind: 'CLAIMED', op },
      { kind: 'STARTED', op, event: { kind: 'started', seq, atMs: 1 }, evidence },
      { kind: 'STEP', op, step: { step: 'start' } },
      { kind: 'PHASE', op, event: { kind: 'phase', seq, atMs: 2, phase: 'grace' } },
      {
        kind: 'DONE',
        op,
        event: { kind: 'done', seq, atMs: 3, state: 'SUCCEEDED', outcome: { stdout: 'ä\n'.repeat(seq) } },
      },
      { kind: 'ACKED', op, seq },
    ];
    return records[kind] ?? received(op);
  });
const history = fc.array(fc.array(record, { minLength: 1, maxLength: 4 }), { maxLength: 12 });

function bookOf(batches: readonly (readonly JournalRecord[])[]): JournalBook {
  const book = new JournalBook();
  for (const one of batches.flat()) book.apply(one);
  return book;
}

describe('decodeJournal', () => {
  it('gives back a prefix of any history, cut anywhere', () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 1, noNaN: true }), (batches, share) => {
        const bytes = Buffer.concat(batches.map(encodeBatch));
        const cut = Math.floor(bytes.length * share);
        const content = decodeJournal(bytes.subarray(0, cut));
        assert.deepEqual(content.batches, batches.slice(0, content.batches.length));
        assert.equal(content.goodBytes, Buffer.concat(content.batches.map(encodeBatch)).length);
        assert.equal(content.damage, content.goodBytes === cut ? 'none' : 'torn');
        const next = batches[content.batches.length];
        assert.ok(next === undefined || content.goodBytes + encodeBatch(next).length > cut, 'the longest prefix');
      }),
    );
  });

  it('never takes a changed byte for what was written: corrupt before a whole batch, torn at the end', () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.integer({ min: 1, max: 255 }), (batches, place, flip) => {
        fc.pre(batches.length > 0);
        const bytes = Buffer.concat(batches.map(encodeBatch));
        const offset = place % bytes.length;
        bytes[offset] = (bytes[offset] ?? 0) ^ flip;
        const content = decodeJournal(bytes);
        assert.deepEqual(content.batches, batches.slice(0, content.batches.length));
        assert.notEqual(content.damage, 'none');
        assert.ok(content.batches.length < batches.length);
      }),
    );
  });
});

describe('JournalBook', () => {
  it('is the same after a rewrite, whatever the history', () => {
    fc.assert(
      fc.property(history, (batches) => {
        const book = bookOf(batches);
        assert.deepEqual(bookOf([book.records()]).entries(), book.entries());
      }),
    );
  });

  it('forgets an operation when the hub has its end, and when its claim was refused', () => {
    const event = { kind: 'done', seq: 1, atMs: 1, state: 'SUCCEEDED', outcome: {} } as const;
    const done = bookOf([[received('op_a'), { kind: 'DONE', op: 'op_a', event }]]);
    assert.equal(done.size, 1);
    done.apply({ kind: 'ACKED', op: 'op_a', seq: 1 });
    assert.equal(done.size, 0);
    assert.equal(bookOf([[received('op_a'), { kind: 'DROPPED', op: 'op_a', why: 'expired' }]]).size, 0);
  });
});

async function journalIn(directory: string, expectedId?: string): Promise<Journal> {
  return await Journal.open({ directory, expectedId, log: silentFleetLog, points: noCrashPoints });
}

function temporary(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'fj-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe('Journal', () => {
  it('opens with everything that was resolved, in however many groups it was written', async () => {
    using directory = temporary();
    await fc.assert(
      fc.asyncProperty(history, async (batches) => {
        rmSync(join(directory.path, 'journal'), { force: true });
        let id = '';
        {
          await using journal = await journalIn(directory.path);
          id = journal.id;
          for (const batch of batches) await Promise.all(batch.map((one) => journal.append(one)));
        }
        await using again = await journalIn(directory.path, id);
        assert.deepEqual(again.entries(), bookOf(batches).entries());
        assert.equal(again.id, id);
        assert.equal(again.complete, true);
      }),
      { numRuns: 40 },
    );
  });

  it('cuts a torn end off and goes on behind it', async () => {
    using directory = temporary();
    const path = join(directory.path, 'journal');
    let id = '';
    {
      await using journal = await journalIn(directory.path);
      id = journal.id;
      await journal.append(received('op_a'));
      await journal.append(received('op_b'));
    }
    truncateSync(path, readFileSync(path).length - 3);
    {
      await using journal = await journalIn(directory.path, id);
      assert.deepEqual(
        journal.entries().map(({ operationId }) => operationId),
        ['op_a'],
      );
      await journal.append(received('op_c'));
    }
    await using journal = await journalIn(directory.path, id);
    assert.deepEqual(
      journal.entries().map(({ operationId }) => operationId),
      ['op_a', 'op_c'],
    );
  });

  it('sets a file with a damaged middle aside by name, and says that it is not complete', async () => {
    using directory = temporary();
    const path = join(directory.path, 'journal');
    let id = '';
    {
      await using journal = await journalIn(directory.path);
      id = journal.id;
      await journal.append(received('op_a'));
      await journal.append(received('op_b'));
    }
    const bytes = readFileSync(path);
    bytes[20] = 0;
    writeFileSync(path, bytes);
    await using journal = await journalIn(directory.path, id);
    assert.deepEqual(journal.entries(), []);
    assert.equal(journal.complete, false);
    assert.deepEqual(readdirSync(directory.path).toSorted(), ['journal', 'journal.damaged-1']);
    assert.deepEqual(readFileSync(join(directory.path, 'journal.damaged-1')), bytes);
  });

  it('is not complete when the one that was expected is missing', async () => {
    using directory = temporary();
    await using journal = await journalIn(directory.path, 'another');
    assert.equal(journal.complete, false);
  });

  it('stays small however much goes through it', async () => {
    using directory = temporary();
    await using journal = await journalIn(directory.path);
    const outcome = { stdout: 'x'.repeat(10_000) };
    for (let count = 0; count < 200; count += 1) {
      const op = `op_${count}`;
      await Promise.all([
        journal.append(received(op)),
        journal.append({ kind: 'DONE', op, event: { kind: 'done', seq: 1, atMs: 1, state: 'SUCCEEDED', outcome } }),
        journal.append({ kind: 'ACKED', op, seq: 1 }),
      ]);
    }
    assert.ok(readFileSync(join(directory.path, 'journal')).length < 512 * 1024);
    assert.deepEqual(journal.entries(), []);
  });

  it(
    'refuses truthfully on a full disk, and goes on when there is room again',
    { skip: process.getuid?.() !== 0 },
    async () => {
      await using disk = await smallDisk();
      const filler = join(disk.path, 'filler');
      let id = '';
      {
        await using journal = await journalIn(disk.path);
        id = journal.id;
        await journal.append(received('op_a'));
        fill(filler);
        await assert.rejects(journal.append(received('op_b', 'x'.repeat(5_000))), /journal cannot be written/);
        assert.ok(journal.failure !== undefined);
        await assert.rejects(journal.append(received('op_b', 'x'.repeat(5_000))), /journal cannot be written/);
        rmSync(filler);
        await journal.append(received('op_c'));
        assert.equal(journal.failure, undefined);
      }
      await using again = await journalIn(disk.path, id);
      assert.deepEqual(
        again.entries().map(({ operationId }) => operationId),
        ['op_a', 'op_c'],
      );
    },
  );

  for (const place of ['before:RECEIVED*3', 'after:RECEIVED*3', 'before:rewrite*2', 'after:rewrite*2']) {
    it(`killed at ${place}: has what was resolved, and at most what was being written`, async () => {
      using directory = temporary();
      const program = join(import.meta.dirname, 'crashing-journal.fixture.ts');
      const child = spawn(process.execPath, [program, directory.path, place], { stdio: ['ignore', 'pipe', 'inherit'] });
      let told = '';
      for await (const bytes of child.stdout) told += String(bytes);
      if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
      assert.equal(child.signalCode, 'SIGKILL');
      const resolved = told.split('\n').filter((line) => line !== '');
      await using journal = await journalIn(directory.path);
      const kept = journal.entries().map(({ operationId }) => operationId);
      assert.deepEqual(kept.slice(0, resolved.length), resolved);
      assert.ok(kept.length <= resolved.length + 1);
      assert.equal(journal.complete, true);
    });
  }
});

async function smallDisk(): Promise<{ readonly path: string } & AsyncDisposable> {
  const { execFileSync } = await import('node:child_process');
  const directory = temporary();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory.path]);
  return {
    path: directory.path,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [directory.path]);
      directory[Symbol.dispose]();
    },
  };
}

function fill(path: string): void {
  const chunk = Buffer.alloc(4096);
  for (;;) {
    try {
      writeFileSync(path, chunk, { flag: 'a' });
    } catch {
      return;
    }
  }
}
