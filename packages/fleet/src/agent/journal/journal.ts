import { randomUUID } from 'node:crypto';
import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import type { CrashPoints } from '../../lib/crash-point.ts';
import type { FleetLog } from '../../lib/log.ts';
import { JournalBook } from './book.ts';
import { decodeJournal, encodeBatch } from './codec/journal-lines.ts';
import { JournalFile } from './journal-file.ts';
import type { JournalEntry, JournalRecord } from './record.ts';

/** A journal that is larger takes nothing more. 1,000 open operations with all they may hold are less. */
export const JOURNAL_BYTES_MAX: number = 512 * 1024 * 1024;
/** Operations without an end that the hub has acknowledged. More are refused. */
export const OPEN_OPERATIONS_MAX = 1_000;
/** Rewritten when it is larger than this, and larger than `COMPACT_FACTOR` times what it was after the last rewrite. */
const COMPACT_BYTES_MIN: number = 256 * 1024;
const COMPACT_FACTOR = 4;
/** Records that are written and synced together. */
const BATCH_RECORDS_MAX = 256;
/** Of damaged journals, kept for whoever wants to look. */
const SET_ASIDE_MAX = 100;

export interface JournalOptions {
  readonly directory: string;
  /** The id of the journal that must be here; undefined: there never was one. */
  readonly expectedId: string | undefined;
  readonly log: FleetLog;
  readonly points: CrashPoints;
}

interface Waiting {
  readonly record: JournalRecord;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * What this agent has taken on and how far it is, on disk. One file of checksummed lines, appended and synced in groups; a torn end
 * is cut off, a file that is damaged before its end is set aside by name.
 */
export class Journal implements AsyncDisposable {
  readonly #options: JournalOptions;
  readonly #book: JournalBook;
  readonly #file: JournalFile;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #compactAtBytes = COMPACT_BYTES_MIN;
  #failure: EngineError | undefined;
  #isClosed = false;

  private constructor(options: JournalOptions, book: JournalBook, file: JournalFile) {
    this.#options = options;
    this.#book = book;
    this.#file = file;
  }

  /** @throws the operating system's error when the directory cannot be written. */
  static async open(options: JournalOptions): Promise<Journal> {
    const path = join(options.directory, 'journal');
    const bytes = await readIfThere(path);
    const { batches, goodBytes, damage } = decodeJournal(bytes);
    const book = new JournalBook();
    for (const record of batches.flat()) book.apply(record);
    const isCurrent = book.id !== '' && (options.expectedId === undefined || options.expectedId === book.id);
    if (damage === 'torn') options.log.event('journal.torn-end-cut', { bytes: bytes.length - goodBytes });
    if (isCurrent && damage !== 'corrupt') {
      return new Journal(options, book, await JournalFile.open(path, goodBytes));
    }
    return await Journal.#anew(options, { path, setAside: bytes.length > 0 });
  }

  static async #anew(
    options: JournalOptions,
    old: { readonly path: string; readonly setAside: boolean },
  ): Promise<Journal> {
    const complete = options.expectedId === undefined && !old.setAside;
    if (old.setAside) {
      const aside = await freeName(`${old.path}.damaged`);
      await rename(old.path, aside);
      options.log.failure('journal.damaged', 'set aside; what it held is not known any more', { path: aside });
    } else if (!complete) {
      options.log.failure('journal.missing', 'this host had one; what it held is not known any more', old);
    }
    const book = new JournalBook();
    book.apply({ kind: 'OPENED', id: randomUUID(), complete });
    const journal = new Journal(options, book, JournalFile.none(old.path));
    await journal.#rewrite();
    return journal;
  }

  /** Kept beside the host's identity, so that a journal that went missing is noticed. */
  get id(): string {
    return this.#book.id;
  }

  /** False: an operation that is not in it may have been started all the same, before the loss. */
  get complete(): boolean {
    return this.#book.complete;
  }

  /** Why nothing can be written at the moment; undefined: the last attempt succeeded. */
  get failure(): EngineError | undefined {
    return this.#failure;
  }

  get isFull(): boolean {
    return this.#book.size >= OPEN_OPERATIONS_MAX;
  }

  entries(): readonly JournalEntry[] {
    return this.#book.entries();
  }

  entry(operationId: string): JournalEntry | undefined {
    return this.#book.entry(operationId);
  }

  /** Resolves when the record is on disk. @throws EngineError 'unavailable' when it is not; then it counts as never written. */
  append(record: JournalRecord): Promise<void> {
    if (this.#isClosed) return Promise.reject(new EngineError('unavailable', 'the journal is closed'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ record, resolve, reject });
    this.#writing ??= this.#write();
    return promise;
  }

  /** Waits for what is being written. What is appended from now on is refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#file[Symbol.asyncDispose]();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_RECORDS_MAX);
      this.#waiting = this.#waiting.slice(BATCH_RECORDS_MAX);
      try {
        await this.#commit(batch.map(({ record }) => record));
        this.#failure = undefined;
        for (const waiting of batch) waiting.resolve();
      } catch (cause) {
        this.#failure = new EngineError('unavailable', 'the journal cannot be written', { cause });
        this.#options.log.failure('journal.not-written', cause);
        for (const waiting of batch) waiting.reject(this.#failure);
      }
    }
    this.#writing = undefined;
  }

  async #commit(records: readonly JournalRecord[]): Promise<void> {
    const { points } = this.#options;
    const line = encodeBatch(records);
    if (this.#file.bytes + line.length > JOURNAL_BYTES_MAX) throw new Error(`longer than ${JOURNAL_BYTES_MAX} bytes`);
    if (!this.#file.isOpen) await this.#rewrite();
    for (const { kind } of records) points.pass(`before:${kind}`);
    await this.#file.append(line);
    for (const record of records) this.#book.apply(record);
    for (const { kind } of records) points.pass(`after:${kind}`);
    if (this.#file.bytes < this.#compactAtBytes) return;
    // What was appended is safe; a rewrite that fails is tried again later.
    await this.#rewrite().catch((error) => this.#options.log.failure('journal.not-compacted', error));
  }

  async #rewrite(): Promise<void> {
    const { points } = this.#options;
    points.pass('before:rewrite');
    await this.#file.replace(encodeBatch(this.#book.records()));
    points.pass('after:rewrite');
    this.#compactAtBytes = Math.max(COMPACT_BYTES_MIN, this.#file.bytes * COMPACT_FACTOR);
  }
}

async function readIfThere(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

async function freeName(path: string): Promise<string> {
  for (let count = 1; count <= SET_ASIDE_MAX; count += 1) {
    const isFree = await stat(`${path}-${count}`).then(
      () => false,
      () => true,
    );
    if (isFree) return `${path}-${count}`;
  }
  return `${path}-${SET_ASIDE_MAX}`;
}
