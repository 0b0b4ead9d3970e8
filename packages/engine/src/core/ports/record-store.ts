/** A stored record that cannot be read, or is not of its kind. */
export interface UnreadableRecord {
  readonly key: string;
  /** Its field `name`, when that much of it can be read. */
  readonly name: string | undefined;
}

/** One kind of record. A record is durable when the call returns; a corrupt one is reported by key and skipped, never dropped. */
export interface RecordTable<T> {
  get(key: string): T | undefined;
  /** Also true of a corrupt record. */
  has(key: string): boolean;
  all(): readonly T[];
  /** Those that `all` skips: what belongs to them is not anybody else's. */
  unreadable(): readonly UnreadableRecord[];
  put(key: string, record: T): void;
  delete(key: string): void;
}

/** A numbered, append-only table: events and operations. */
export interface RecordLog<T> {
  /** @returns the sequence number. */
  append(record: T, at: Date): number;
  replace(sequence: number, record: T): void;
  /** Records with `from <= at <= to`, oldest first, at most `limit` of the newest. */
  between(
    from: Date | undefined,
    to: Date | undefined,
    limit: number,
  ): readonly { readonly sequence: number; readonly record: T }[];
  get(sequence: number): T | undefined;
  /** Keeps the newest `count`. */
  trim(count: number): void;
}

/** Everything the engine remembers. */
export interface RecordStore extends Disposable {
  /** `isRecord` recognises a stored document; one that is none is corrupt. */
  table<T>(
    name: 'containers' | 'images' | 'settings' | 'volumes',
    isRecord: (document: unknown) => document is T,
  ): RecordTable<T>;
  log<T>(name: 'events' | 'operations', isRecord: (document: unknown) => document is T): RecordLog<T>;
  /**
   * All of it or nothing, also when the engine dies in the middle.
   * `urgent` work may use the room that is kept for a full disk; it may be called twice then. Everything else is refused
   * while that room is not there.
   * @throws what `work` throws, or why it could not be stored: nothing of it is then.
   */
  transaction(work: () => void, need?: 'ordinary' | 'urgent'): void;
  /** Calls back when what was written so far is durable: after the transaction under way, never if it fails; else at once. */
  afterCommit(work: () => void): void;
}
