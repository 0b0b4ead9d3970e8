import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EngineError } from '@fairlead/protocol';

/** What is written in one transaction, in the order in which it was asked for. */
type Write = () => void;

/** Version of the tables; a newer one is refused, not guessed at. */
const SCHEMA_VERSION = 1;
/** Rows read at once. */
const CACHE_KIB = 16 * 1024;
const BUSY_MS = 5_000;

/**
 * The hub's records: SQLite, WAL, group commit.
 *
 * Everything asked for within one turn of the event loop is one transaction, so that thousands of operations a second cost
 * some hundred commits. With `synchronous=FULL` a commit is on disk before anybody hears of it: neither kill -9 nor a power cut takes back
 * what was accepted (NORMAL would do for kill -9; the difference measured is one fdatasync, 0.5–0.8 ms, per group).
 *
 * A commit that fails is the end: what the hub holds in memory is then ahead of its records, so `failed` tells, everyone who waits is
 * refused, and nothing is written any more.
 */
export class HubDatabase implements Disposable {
  /** Rejects when a commit failed. */
  readonly failed: Promise<never>;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #fail: (error: EngineError) => void;
  #writes: Write[] = [];
  #committed: PromiseWithResolvers<void> | undefined;
  #failure: EngineError | undefined;
  #closed = false;

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    const failed = Promise.withResolvers<never>();
    this.failed = failed.promise;
    this.failed.catch(ignore);
    this.#fail = failed.reject;
  }

  /** Opens or makes it. `schema` is run once, on an empty file. @throws EngineError 'unavailable' when it cannot be opened. */
  static open(path: string, schema: string): HubDatabase {
    try {
      const database = new DatabaseSync(path, { timeout: BUSY_MS });
      database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-${CACHE_KIB}`);
      const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
      if (version > SCHEMA_VERSION) {
        throw new EngineError(
          'conflict',
          `${path} was written by a newer Fairlead (records ${version}, this one reads ${SCHEMA_VERSION})`,
        );
      }
      if (version === 0) database.exec(`BEGIN; ${schema}; PRAGMA user_version=${SCHEMA_VERSION}; COMMIT`);
      return new HubDatabase(path, database);
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError('unavailable', `cannot open the hub's records ${path}`, { cause });
    }
  }

  prepare(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  /** Adds a write to the transaction of this turn. Resolves when it is on disk. */
  async write(write: Write): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#writes.push(write);
    await this.settled();
  }

  /** Resolves when everything that was written so far is on disk. */
  async settled(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#writes.length === 0) return;
    if (this.#committed === undefined) {
      this.#committed = Promise.withResolvers();
      setImmediate(() => this.#commit());
    }
    await this.#committed.promise;
  }

  /** Commits what waits, at once: before a read that must see it. */
  flush(): void {
    if (this.#writes.length > 0) this.#commit();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    if (this.#failure === undefined) this.flush();
    this.#closed = true;
    this.#database.close();
  }

  #commit(): void {
    const [writes, committed] = [this.#writes, this.#committed];
    this.#writes = [];
    this.#committed = undefined;
    if (writes.length === 0) {
      committed?.resolve();
      return;
    }
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const write of writes) write();
      this.#database.exec('COMMIT');
      committed?.resolve();
    } catch (cause) {
      this.#failure = new EngineError('unavailable', `cannot write the hub's records ${this.#path}`, { cause });
      this.#fail(this.#failure);
      committed?.reject(this.#failure);
    }
  }
}

/** For a promise whose rejection is told to everybody who waits anyway. */
function ignore(): void {}
