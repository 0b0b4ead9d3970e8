import type { StatementSync } from 'node:sqlite';
import { commandTarget, type FleetState, type HostId } from '@fairlead/protocol/fleet';
import { isOpen, type OperationRecord } from '../operation/record.ts';
import type { HubDatabase } from './hub-database.ts';

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

/** Operations on disk. What was put several times within one commit is written once. */
export class OperationsTable {
  readonly #database: HubDatabase;
  readonly #dirty = new Map<string, OperationRecord>();
  readonly #put: StatementSync;
  readonly #byId: StatementSync;
  readonly #byKey: StatementSync;

  constructor(database: HubDatabase) {
    this.#database = database;
    this.#put = database.prepare(
      `INSERT INTO operations (id, key, host, target, state, open, document) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, open = excluded.open, document = excluded.document`,
    );
    this.#byId = database.prepare('SELECT document FROM operations WHERE id = ?');
    this.#byKey = database.prepare('SELECT document FROM operations WHERE key = ?');
  }

  /** Resolves when it is on disk. */
  async put(record: OperationRecord): Promise<void> {
    const isFirst = this.#dirty.size === 0;
    this.#dirty.set(record.id, record);
    await (isFirst ? this.#database.write(() => this.#flush()) : this.#database.settled());
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
    return readOne(this.#byKey.get(key)) ?? this.get(key);
  }

  /** Without an end, the oldest first. */
  open(): readonly OperationRecord[] {
    return this.#database.prepare('SELECT document FROM operations WHERE open = 1 ORDER BY n').all().flatMap(readSome);
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
    const where = used.length === 0 ? '' : `WHERE ${used.map(([sql]) => sql).join(' AND ')}`;
    const values = used.map(([, value]) => value ?? null);
    return this.#database
      .prepare(`SELECT document FROM operations ${where} ORDER BY n DESC LIMIT ?`)
      .all(...values, filter.limit)
      .flatMap(readSome);
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

  #flush(): void {
    for (const record of this.#dirty.values()) {
      const { id, key, host, command, life } = record;
      const target = commandTarget(command) ?? null;
      this.#put.run(
        id,
        key === id ? null : key,
        host,
        target,
        life.state,
        Number(isOpen(life.state)),
        JSON.stringify(record),
      );
    }
    this.#dirty.clear();
  }
}

function readOne(row: Record<string, unknown> | undefined): OperationRecord | undefined {
  return row === undefined ? undefined : readSome(row)[0];
}

function readSome(row: Record<string, unknown>): readonly OperationRecord[] {
  const document: unknown = JSON.parse(String(row['document']));
  return isRecord(document) ? [document] : [];
}

/** The hub wrote it: what is checked is that this is the right kind of document. */
function isRecord(document: unknown): document is OperationRecord {
  return typeof document === 'object' && document !== null && 'life' in document && 'fingerprint' in document;
}
