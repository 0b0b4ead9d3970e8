import type { StatementSync } from 'node:sqlite';
import { commandTarget, type FleetState, type HostId } from '@fairlead/protocol/fleet';
import { OPERATION_ID_PREFIX } from '../../lib/random-id.ts';
import { isOpen, type OperationRecord } from '../operation/record.ts';
import type { HubDatabase } from './hub-database.ts';
import { ROWS_TOGETHER } from './schema.ts';

/** Which operations, the newest first. */
export interface OperationFilter {
  readonly host?: HostId | undefined;
  readonly state?: FleetState | undefined;
  readonly open?: boolean | undefined;
  readonly container?: string | undefined;
  /** Older than this operation. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Ended operations kept, with their keys; older ones are forgotten. An hour of 50 a second, or a year of a quiet fleet. */
export const ENDED_KEPT_MAX = 200_000;
/** Forgotten at once, so that nobody waits for it. */
const FORGET_MAX = 5_000;

/**
 * Operations on disk: what was asked, written once, and how far it is. What was put several times within one commit is written once.
 */
export class OperationsTable {
  readonly #database: HubDatabase;
  readonly #dirty = new Map<string, OperationRecord>();
  /** The rows of operations that have no end on disk. */
  readonly #rows = new Map<string, number>();
  readonly #added = new Set<string>();
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #updateEnded: StatementSync;
  readonly #byId: StatementSync;
  readonly #byKey: StatementSync;
  #lastRow: number;

  constructor(database: HubDatabase) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO operations (n, id, key, host, target, state, open, document, progress) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#update = database.prepare('UPDATE operations SET state = ?, open = ?, progress = ? WHERE n = ?');
    this.#updateEnded = database.prepare('UPDATE operations SET progress = ? WHERE id = ?');
    this.#byId = database.prepare('SELECT document, progress FROM operations WHERE id = ?');
    this.#byKey = database.prepare('SELECT document, progress FROM operations WHERE key = ?');
    this.#lastRow = Number(database.prepare('SELECT max(n) AS last FROM operations').get()?.['last'] ?? 0);
  }

  /** Stores a new one. `stored` is called when it is on disk, as it is then. */
  add(record: OperationRecord, stored: () => void): void {
    this.#lastRow += 1;
    this.#rows.set(record.id, this.#lastRow);
    this.#added.add(record.id);
    this.put(record, stored);
  }

  /** Stores what has become of one. `stored` is called when it is on disk. */
  put(record: OperationRecord, stored: () => void): void {
    if (this.#dirty.size === 0) this.#database.add(() => this.#flush());
    this.#dirty.set(record.id, record);
    this.#database.whenStored(stored);
  }

  /** Resolves when everything that was put so far is on disk. */
  async settled(): Promise<void> {
    await this.#database.settled();
  }

  get(id: string): OperationRecord | undefined {
    return this.#dirty.get(id) ?? readOne(this.#byId.get(id));
  }

  /** Of the last commit: what is open is found by its key in memory. An operation without a key of its own is called by its id. */
  byKey(key: string): OperationRecord | undefined {
    return readOne(this.#byKey.get(key)) ?? (key.startsWith(OPERATION_ID_PREFIX) ? this.get(key) : undefined);
  }

  /** Without an end, the oldest first. */
  open(): readonly OperationRecord[] {
    const rows = this.#database
      .prepare('SELECT n, id, document, progress FROM operations WHERE open = 1 ORDER BY n')
      .all();
    for (const { n, id } of rows) this.#rows.set(String(id), Number(n));
    return rows.flatMap(readSome);
  }

  list(filter: OperationFilter): readonly OperationRecord[] {
    this.#database.flush();
    const terms: readonly (readonly [string, string | number | undefined])[] = [
      ['host = ?', filter.host],
      ['state = ?', filter.state],
      ['open = ?', filter.open === undefined ? undefined : Number(filter.open)],
      ['target = ?', filter.container],
      ['n < (SELECT n FROM operations WHERE id = ?)', filter.before],
    ];
    const used = terms.filter(([, value]) => value !== undefined);
    const values = used.map(([, value]) => value ?? null);
    const sqls = used.map(([sql]) => sql);
    if (filter.host === undefined)
      return this.#select(sqls)
        .all(...values, filter.limit)
        .flatMap(readSome);
    // The index by host is one of stretches of rows.
    const inStretch = this.#select([...sqls, `n / ${ROWS_TOGETHER} = ?`]);
    const found: OperationRecord[] = [];
    const oldest = this.#stretchOf('min');
    for (let at = this.#stretchOf('max'); at >= oldest && found.length < filter.limit; at -= 1) {
      found.push(...inStretch.all(...values, at, filter.limit - found.length).flatMap(readSome));
    }
    return found;
  }

  /** Forgets the oldest ended ones beyond `ENDED_KEPT_MAX`. */
  async forget(keep: number = ENDED_KEPT_MAX): Promise<void> {
    await this.#database.write(() => {
      this.#database
        .prepare(
          `DELETE FROM operations WHERE n IN (
             SELECT n FROM operations WHERE open = 0 AND n <= (SELECT max(n) FROM operations) - ? ORDER BY n LIMIT ${FORGET_MAX})`,
        )
        .run(keep);
    });
  }

  #select(terms: readonly string[]): StatementSync {
    const where = terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`;
    return this.#database.prepare(`SELECT document, progress FROM operations ${where} ORDER BY n DESC LIMIT ?`);
  }

  #stretchOf(which: 'min' | 'max'): number {
    const row = this.#database.prepare(`SELECT ${which}(n) AS n FROM operations`).get();
    return Math.floor(Number(row?.['n'] ?? 0) / ROWS_TOGETHER);
  }

  #flush(): void {
    for (const record of this.#dirty.values()) this.#write(record);
    this.#dirty.clear();
    this.#added.clear();
  }

  #write(record: OperationRecord): void {
    const { startedAt, startedMoment, endedAt, life, events, ...asked } = record;
    const { id, key, host, command } = asked;
    const progress = JSON.stringify({ startedAt, startedMoment, endedAt, life, events });
    const row = this.#rows.get(id);
    if (row === undefined) {
      this.#updateEnded.run(progress, id);
      return;
    }
    const open = Number(isOpen(life.state));
    if (this.#added.has(id)) {
      const own = key === id ? null : key;
      const target = commandTarget(command) ?? null;
      this.#insert.run(row, id, own, host, target, life.state, open, JSON.stringify(asked), progress);
    } else {
      this.#update.run(life.state, open, progress, row);
    }
    if (open === 0) this.#rows.delete(id);
  }
}

function readOne(row: Record<string, unknown> | undefined): OperationRecord | undefined {
  return row === undefined ? undefined : readSome(row)[0];
}

function readSome(row: Record<string, unknown>): readonly OperationRecord[] {
  // A row of before there were two columns has everything in the first.
  const { progress } = row;
  const record: unknown = {
    ...JSON.parse(String(row['document'])),
    ...(typeof progress === 'string' ? JSON.parse(progress) : {}),
  };
  return isRecord(record) ? [record] : [];
}

/** The hub wrote it: what is checked is that this is the right kind of document. */
function isRecord(document: unknown): document is OperationRecord {
  return typeof document === 'object' && document !== null && 'life' in document && 'fingerprint' in document;
}
