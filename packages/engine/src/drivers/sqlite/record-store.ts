import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { RecordLog, RecordStore, RecordTable } from '../../core/ports/record-store.ts';
import { DiskReserve } from '../../host/disk-reserve.ts';
import { atCheckpoint } from '../../host/fault-points.ts';
import type { Checkpoint } from '../../lib/fault-plan.ts';
import { decodeDocument, encodeDocument } from './document.ts';
import { isDiskFull, recordFailure, recordsFull } from './record-failure.ts';

/** Called with what could not be read, once for each; the rest is served. */
export type OnCorrupt = (table: string, key: string, cause: unknown) => void;

/** Beside the records, and of the same owner. */
const RESERVE_SUFFIX = '.reserve';
/** A change of one container takes some 25 KB of the write-ahead log: enough for forty. Our own figure. */
const RESERVE_BYTES: number = 1024 * 1024;

/** Somebody who reads of a thousand damaged records needs no more of them. */
const CORRUPT_REPORTED_MAX = 1_000;

/** How long a statement waits for another process that reads the file, e.g. `sqlite3`. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens the engine's records: SQLite in WAL mode with synchronous=NORMAL. A committed record survives the death of the
 * engine at any moment; the last ones may be lost in a power cut, never torn.
 *
 * @throws EngineError 'unavailable' when the file cannot be opened, is not a database or is damaged. What cannot be written
 *   later is an EngineError 'internal' that says why; nothing of it is kept, and the store works again when there is room.
 */
export function openRecordStore(path: string, onCorrupt: OnCorrupt): RecordStore {
  const database = openDatabase(path);
  const reported = new Set<string>();
  // Once each: what is damaged is read again and again.
  const onCorruptOnce: OnCorrupt = (table, key, cause) => {
    const place = `${table}/${key}`;
    if (reported.has(place) || reported.size >= CORRUPT_REPORTED_MAX) return;
    reported.add(place);
    onCorrupt(table, key, cause);
  };
  const reserve = new DiskReserve(`${path}${RESERVE_SUFFIX}`, RESERVE_BYTES);
  const { isOpen, ...transacting } = transactions(database, path, reserve);
  const write: Write = (checkpoint, call) => {
    // Within a transaction it is the whole that is ordinary or urgent, and that is told why it failed.
    if (isOpen()) return atCheckpoint(checkpoint, call);
    assertRoom(path, reserve);
    try {
      return atCheckpoint(checkpoint, call);
    } catch (cause) {
      throw recordFailure(path, 'write', cause);
    }
  };
  return {
    table: (name, isRecord) => openTable(database, name, { isRecord, onCorrupt: onCorruptOnce, write }),
    log: (name, isRecord) => openLog(database, name, { isRecord, onCorrupt: onCorruptOnce, write }),
    ...transacting,
    [Symbol.dispose]: () => database.close(),
  };
}

interface Transactions extends Pick<RecordStore, 'transaction' | 'afterCommit'> {
  /** Whether one is under way. */
  readonly isOpen: () => boolean;
}

function transactions(database: DatabaseSync, path: string, reserve: DiskReserve): Transactions {
  let waiting: (() => void)[] | undefined;
  const once = (work: () => void): void => {
    const told: (() => void)[] = [];
    database.exec('BEGIN');
    waiting = told;
    try {
      work();
      atCheckpoint('sqlite.commit', () => database.exec('COMMIT'));
    } catch (error) {
      // SQLite has rolled back by itself when the disk is full.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    } finally {
      waiting = undefined;
    }
    for (const tell of told) tell();
  };
  return {
    isOpen: () => waiting !== undefined,
    transaction(work, need = 'ordinary') {
      if (need === 'ordinary') assertRoom(path, reserve);
      try {
        try {
          once(work);
        } catch (error) {
          if (need === 'ordinary' || !isDiskFull(error) || !reserve.release()) throw error;
          once(work);
        }
      } catch (cause) {
        throw recordFailure(path, 'write', cause);
      }
    },
    afterCommit(work) {
      if (waiting === undefined) work();
      else waiting.push(work);
    },
  };
}

/** @throws EngineError 'internal' while the room that is kept for urgent work is used up. */
function assertRoom(path: string, reserve: DiskReserve): void {
  if (!reserve.keep()) throw recordsFull(path);
}

function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return database;
  } catch (cause) {
    throw recordFailure(path, 'open', cause);
  }
}

type Write = <T>(checkpoint: Checkpoint, call: () => T) => T;

interface Access<T> {
  readonly isRecord: (document: unknown) => document is T;
  readonly onCorrupt: OnCorrupt;
  readonly write: Write;
}

function openTable<T>(database: DatabaseSync, name: string, access: Access<T>): RecordTable<T> {
  const { write } = access;
  database.exec(`CREATE TABLE IF NOT EXISTS ${name} (key TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID`);
  const get = database.prepare(`SELECT key, document FROM ${name} WHERE key = ?`);
  const all = database.prepare(`SELECT key, document FROM ${name} ORDER BY key`);
  const put = database.prepare(
    `INSERT INTO ${name} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document`,
  );
  const remove = database.prepare(`DELETE FROM ${name} WHERE key = ?`);
  const read = (row: Record<string, unknown>): T | undefined => parseRow(name, row, access);
  return {
    get(key) {
      const row = get.get(key);
      return row === undefined ? undefined : read(row);
    },
    has: (key) => get.get(key) !== undefined,
    all: () => all.all().flatMap((row) => read(row) ?? []),
    unreadable: () =>
      all.all().flatMap((row) => (read(row) === undefined ? { key: String(row['key']), name: nameIn(row) } : [])),
    put: (key, record) => void write('sqlite.put', () => put.run(key, encodeDocument(record))),
    delete: (key) => void write('sqlite.delete', () => remove.run(key)),
  };
}

function openLog<T>(database: DatabaseSync, name: string, access: Access<T>): RecordLog<T> {
  const { write } = access;
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${name} (key INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, document TEXT NOT NULL)`,
  );
  database.exec(`CREATE INDEX IF NOT EXISTS ${name}_at ON ${name} (at_ms)`);
  const append = database.prepare(`INSERT INTO ${name} (at_ms, document) VALUES (?, ?)`);
  const replace = database.prepare(`UPDATE ${name} SET document = ? WHERE key = ?`);
  const get = database.prepare(`SELECT key, document FROM ${name} WHERE key = ?`);
  const trim = database.prepare(`DELETE FROM ${name} WHERE key <= (SELECT max(key) FROM ${name}) - ?`);
  const between = prepareBetween(database, name);
  return {
    append: (record, at) => {
      const added = write('sqlite.append', () => append.run(at.getTime(), encodeDocument(record)));
      return Number(added.lastInsertRowid);
    },
    replace: (sequence, record) => void write('sqlite.put', () => replace.run(encodeDocument(record), sequence)),
    between: (from, to, limit) =>
      between
        .all(from?.getTime() ?? Number.MIN_SAFE_INTEGER, to?.getTime() ?? Number.MAX_SAFE_INTEGER, limit)
        .toReversed()
        .flatMap((row) => {
          const record = parseRow(name, row, access);
          return record === undefined ? [] : [{ sequence: Number(row['key']), record }];
        }),
    get(sequence) {
      const row = get.get(sequence);
      return row === undefined ? undefined : parseRow(name, row, access);
    },
    trim: (count) => void write('sqlite.delete', () => trim.run(count)),
  };
}

function prepareBetween(database: DatabaseSync, name: string): StatementSync {
  return database.prepare(`SELECT key, document FROM ${name} WHERE at_ms BETWEEN ? AND ? ORDER BY key DESC LIMIT ?`);
}

function nameIn(row: Record<string, unknown>): string | undefined {
  try {
    const document = decodeDocument(String(row['document']));
    if (typeof document !== 'object' || document === null || !('name' in document)) return undefined;
    return typeof document.name === 'string' ? document.name : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A corrupt record is reported by its key and left where it is: nothing is dropped that a person could still mend. */
function parseRow<T>(table: string, row: Record<string, unknown>, access: Access<T>): T | undefined {
  const key = String(row['key']);
  try {
    const document = decodeDocument(String(row['document']));
    if (access.isRecord(document)) return document;
    access.onCorrupt(table, key, new Error('the document is not a record of this kind'));
  } catch (cause) {
    access.onCorrupt(table, key, cause);
  }
  return undefined;
}
