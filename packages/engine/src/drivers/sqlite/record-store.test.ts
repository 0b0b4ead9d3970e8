import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { openRecordStore } from './record-store.ts';

interface Note {
  readonly text: string;
  readonly at: Date | null;
}

const isNote = (document: unknown): document is Note => {
  return typeof document === 'object' && document !== null && 'text' in document;
};

function scene(): { path: string; corrupt: string[]; open: () => ReturnType<typeof openRecordStore> } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-records-'));
  const path = join(directory, 'records.db');
  const corrupt: string[] = [];
  return {
    path,
    corrupt,
    open: () => openRecordStore(path, (table, key) => corrupt.push(`${table}/${key}`)),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

describe('openRecordStore', () => {
  it('gives back dates as dates, and what is null as null, after it was closed and opened again', () => {
    using place = scene();
    const note: Note = { text: 'ü', at: new Date('2026-01-01T00:00:00.123Z') };
    {
      using store = place.open();
      store.table('settings', isNote).put('a', note);
      store.table('settings', isNote).put('b', { text: '', at: null });
    }
    using store = place.open();
    assert.deepEqual(store.table('settings', isNote).get('a'), note);
    assert.deepEqual(store.table('settings', isNote).all().length, 2);
  });

  it('keeps what was put before the process was killed in the middle of a transaction', () => {
    using place = scene();
    using store = place.open();
    const table = store.table('settings', isNote);
    table.put('kept', { text: 'kept', at: null });
    assert.throws(() =>
      store.transaction(() => {
        table.put('lost', { text: 'lost', at: null });
        throw new Error('died');
      }),
    );
    assert.equal(table.get('lost'), undefined);
    assert.equal(table.get('kept')?.text, 'kept');
  });

  it('reports a corrupt record by its key, serves the others and drops none', () => {
    using place = scene();
    using store = place.open();
    const table = store.table('settings', isNote);
    table.put('good', { text: 'good', at: null });
    const direct = new DatabaseSync(place.path);
    direct.exec(`INSERT INTO settings VALUES ('torn', '{"te'), ('other', '{"x":1}')`);
    direct.close();
    assert.deepEqual(
      table.all().map(({ text }) => text),
      ['good'],
    );
    assert.deepEqual(place.corrupt.toSorted(), ['settings/other', 'settings/torn']);
    assert.equal(table.has('torn'), true);
  });

  it('numbers a log, replaces in place, finds by time and keeps the newest', () => {
    using place = scene();
    using store = place.open();
    const log = store.log('events', isNote);
    const at = (second: number): Date => new Date(1_700_000_000_000 + second * 1000);
    for (let second = 0; second < 10; second += 1) log.append({ text: `${second}`, at: null }, at(second));
    const texts = (from?: Date, to?: Date, limit = 100): string[] =>
      log.between(from, to, limit).map(({ record }) => record.text);
    assert.deepEqual(texts(at(3), at(5)), ['3', '4', '5']);
    assert.deepEqual(texts(undefined, undefined, 2), ['8', '9']);
    log.replace(10, { text: 'nine', at: null });
    assert.equal(log.get(10)?.text, 'nine');
    log.trim(3);
    assert.deepEqual(texts(), ['7', '8', 'nine']);
  });

  it('tells what was waited for only when it is durable', () => {
    using place = scene();
    using store = place.open();
    const table = store.table('settings', isNote);
    const told: string[] = [];
    store.transaction(() => {
      table.put('a', { text: 'a', at: null });
      store.afterCommit(() => told.push('a'));
      assert.deepEqual(told, []);
    });
    assert.throws(() =>
      store.transaction(() => {
        store.afterCommit(() => told.push('never'));
        throw new Error('died');
      }),
    );
    store.afterCommit(() => told.push('at once'));
    assert.deepEqual(told, ['a', 'at once']);
  });

  it('names corrupt records, with what can still be read of them', () => {
    using place = scene();
    using store = place.open();
    const table = store.table('settings', isNote);
    table.put('good', { text: 'good', at: null });
    const direct = new DatabaseSync(place.path);
    direct.exec(`INSERT INTO settings VALUES ('torn', '{"name":"a'), ('other', '{"name":"web"}')`);
    direct.close();
    const names = table.unreadable().map(({ key, name }) => [key, name]);
    assert.deepEqual(names, [
      ['other', 'web'],
      ['torn', undefined],
    ]);
    table.all();
    assert.equal(place.corrupt.length, 2, 'reported once each');
  });
});

describe('openRecordStore on a full disk', () => {
  it('refuses what is ordinary, has room for what is urgent, and works again when there is room', () => {
    using place = fullDisk();
    using store = place.open();
    const table = store.table('settings', isNote);
    table.put('kept', { text: 'kept', at: null });
    const large: Note = { text: 'x'.repeat(100_000), at: null };
    place.fill();
    const full = { kind: 'internal', message: /cannot write the engine's records in .*: no space left on device/ };
    for (const need of ['ordinary', 'ordinary', 'urgent'] as const) {
      const put = (): void => store.transaction(() => table.put('new', large), need);
      if (need === 'urgent') put();
      else assert.throws(put, full);
    }
    assert.throws(() => table.put('more', large), full, 'what is kept for the urgent is for nobody else');
    assert.deepEqual([table.get('kept')?.text, table.get('new')?.text.length], ['kept', 100_000]);
    place.free();
    table.put('more', large);
    store.transaction(() => table.delete('new'));
    assert.deepEqual(
      table.all().map(({ text }) => text.length),
      [4, 100_000],
    );
  });
});

function fullDisk(): ReturnType<typeof scene> & { fill(): void; free(): void } {
  const place = scene();
  const directory = dirname(place.path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
  const ballast = join(directory, 'ballast');
  return {
    ...place,
    fill() {
      writeFileSync(ballast, '');
      assert.throws(() => {
        for (;;) appendFileSync(ballast, Buffer.alloc(4096));
      });
    },
    free: () => rmSync(ballast),
    [Symbol.dispose]() {
      execFileSync('umount', [directory]);
      place[Symbol.dispose]();
    },
  };
}
