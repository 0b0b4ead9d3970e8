import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EngineError } from '@fairlead/protocol';
import { Checkpoints } from './checkpoints.ts';
import { HUB_SCHEMA, HUB_SCHEMA_CHANGES } from './schema.ts';

/** What is written in one transaction, in the order in which it was asked for. */
type Write = () => void;

/** Writes that become one transaction, and who is told when it is on disk. */
interface Group {
  readonly writes: Write[];
  readonly stored: (() => void)[];
  settled: PromiseWithResolvers<void> | undefined;
}

/** Version of the tables; a newer one is refused, not guessed at. */
const SCHEMA_VERSION: number = HUB_SCHEMA_CHANGES.length + 1;
/** Rows read at once. */
const CACHE_KIB = 16 * 1024;
const BUSY_MS = 5_000;
/** Writes, of a page or two each, after which the log is put in its place: every page that changed meanwhile is put there once. */
const CHECKPOINT_WRITES = 2_000;
/** Pages of 4 KiB from which on the log is to begin anew. */
const LOG_PAGES_LONG = 4_000;
/** From which on a commit sees to that itself: the thread does not get it done. 64 MiB. */
const LOG_PAGES_MAX = 16_000;

/**
 * The hub's records: SQLite, WAL, group commit.
 *
 * Everything asked for within one turn of the event loop, and while the transaction before it is on its way to the disk, is one
 * transaction: the busier the hub, the fewer of them. A commit writes SQLite's log without waiting for the disk (`synchronous=NORMAL`);
 * fdatasync(2) of that log is a thread's work, and nobody hears of a write before it has returned: neither kill -9 nor a power cut takes
 * back what was accepted, as with `synchronous=FULL`, and the hub goes on working meanwhile.
 *
 * Another thread puts the log into its place meanwhile; when it has become long, commits wait for the little that is left, and it begins anew.
 *
 * A commit or a sync that fails is the end: what the hub holds in memory is then ahead of its records, so `failed` tells, everyone who
 * waits is refused, and nothing is written any more.
 */
export class HubDatabase implements AsyncDisposable {
  /** Rejects when a commit failed. */
  readonly failed: Promise<never>;
  readonly #path: string;
  readonly #database: DatabaseSync;
  /** A descriptor of SQLite's log of our own. Closing it takes no lock away: that is on another file. */
  readonly #log: number;
  readonly #checkpoints: Checkpoints;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #fail: (error: EngineError) => void;
  /** Not yet in a transaction. */
  #gathering: Group = newGroup();
  /** Committed while a sync was under way: the next one is theirs. */
  #committed: Group | undefined;
  /** On their way to the disk. */
  #syncing: Group | undefined;
  #isScheduled = false;
  /** Nothing is committed for a moment. */
  #isHeld = false;
  #uncheckedWrites = 0;
  #failure: EngineError | undefined;
  #closed = false;

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#log = openSync(`${path}-wal`, 'r+');
    syncDirectory(dirname(path));
    this.#checkpoints = new Checkpoints(path);
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#end = database.prepare('COMMIT');
    const failed = Promise.withResolvers<never>();
    this.failed = failed.promise;
    this.failed.catch(ignore);
    this.#fail = failed.reject;
  }

  /** Opens it, makes it, or brings it up to date. @throws EngineError 'unavailable' when it cannot be opened. */
  static open(path: string): HubDatabase {
    try {
      const database = new DatabaseSync(path, { timeout: BUSY_MS });
      database.exec(
        `PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
         PRAGMA cache_size=-${CACHE_KIB}; PRAGMA wal_autocheckpoint=${LOG_PAGES_MAX}`,
      );
      const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
      if (version > SCHEMA_VERSION) {
        throw new EngineError(
          'conflict',
          `${path} was written by a newer Fairlead (records ${version}, this one reads ${SCHEMA_VERSION})`,
        );
      }
      const changes = version === 0 ? [HUB_SCHEMA] : HUB_SCHEMA_CHANGES.slice(version - 1);
      if (changes.length > 0) {
        database.exec(`BEGIN; ${changes.join(';')}; PRAGMA user_version=${SCHEMA_VERSION}; COMMIT`);
      }
      return new HubDatabase(path, database);
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError('unavailable', `cannot open the hub's records ${path}`, { cause });
    }
  }

  prepare(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  /** Adds a write to the next transaction; what it throws is a commit that failed. */
  add(write: Write): void {
    if (this.#failure !== undefined) return;
    this.#gathering.writes.push(write);
    this.#schedule();
  }

  /** Calls `stored`, which must not throw, when what was added last is on disk; never, when that fails. */
  whenStored(stored: () => void): void {
    if (this.#failure !== undefined) return;
    const last = this.#last();
    if (last === undefined) stored();
    else last.stored.push(stored);
  }

  /** Adds a write to the next transaction. Resolves when it is on disk. */
  async write(write: Write): Promise<void> {
    this.add(write);
    await this.settled();
  }

  /** Resolves when everything that was written so far is on disk. */
  async settled(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const last = this.#last();
    if (last === undefined) return;
    last.settled ??= Promise.withResolvers();
    await last.settled.promise;
  }

  /** Commits what waits, at once: before a read that must see it. */
  flush(): void {
    if (this.#gathering.writes.length > 0) this.#commit();
  }

  /** Everything that was written so far, and until it is closed, is on disk then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkpoints[Symbol.asyncDispose]();
    while (this.#failure === undefined && this.#last() !== undefined) {
      this.flush();
      await this.settled().catch(ignore);
    }
    if (this.#closed) return;
    this.#closed = true;
    // SQLite puts its log in its place, on disk, when it closes.
    this.#database.close();
    if (this.#syncing === undefined) closeSync(this.#log);
  }

  /** The group of what was added last; undefined when everything is on disk. */
  #last(): Group | undefined {
    return this.#gathering.writes.length > 0 ? this.#gathering : (this.#committed ?? this.#syncing);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isHeld || this.#syncing !== undefined) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#closed && !this.#isHeld) this.flush();
    });
  }

  #commit(): void {
    const group = this.#gathering;
    this.#gathering = newGroup();
    try {
      this.#begin.run();
      for (const write of group.writes) write();
      this.#end.run();
    } catch (cause) {
      this.#failWith(cause, group);
      return;
    }
    this.#uncheckedWrites += Math.max(group.writes.length, group.stored.length);
    if (this.#uncheckedWrites >= CHECKPOINT_WRITES && !this.#checkpoints.isBusy) void this.#checkpoint();
    this.#committed = this.#committed === undefined ? group : joined(this.#committed, group);
    if (this.#syncing === undefined) this.#sync(this.#committed);
  }

  async #checkpoint(): Promise<void> {
    this.#uncheckedWrites = 0;
    if ((await this.#checkpoints.run()) < LOG_PAGES_LONG) return;
    // The next commit begins the log anew if all of it is in its place by then: what is left is what came meanwhile.
    this.#isHeld = true;
    await this.#checkpoints.run();
    this.#isHeld = false;
    if (this.#gathering.writes.length > 0) this.#schedule();
  }

  #sync(group: Group): void {
    this.#committed = undefined;
    this.#syncing = group;
    fdatasync(this.#log, (cause) => {
      this.#syncing = undefined;
      if (this.#closed) return closeSync(this.#log);
      if (cause !== null) {
        this.#failWith(cause, group);
        return;
      }
      if (this.#committed !== undefined) this.#sync(this.#committed);
      else if (this.#gathering.writes.length > 0) this.#schedule();
      tell(group);
    });
  }

  #failWith(cause: unknown, group: Group): void {
    this.#failure = new EngineError('unavailable', `cannot write the hub's records ${this.#path}`, { cause });
    this.#fail(this.#failure);
    for (const refused of [group, this.#committed, this.#gathering]) refused?.settled?.reject(this.#failure);
  }
}

function newGroup(): Group {
  return { writes: [], stored: [], settled: undefined };
}

/** Both, for one sync. */
function joined(first: Group, second: Group): Group {
  if (second.settled !== undefined) first.settled?.promise.then(second.settled.resolve, second.settled.reject);
  return { writes: [], stored: [...first.stored, ...second.stored], settled: first.settled ?? second.settled };
}

function tell({ stored, settled }: Group): void {
  for (const one of stored) one();
  settled?.resolve();
}

/** The log's name is on disk as well. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** For a promise whose rejection is told to everybody who waits anyway. */
function ignore(): void {}
