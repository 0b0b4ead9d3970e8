import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
});
