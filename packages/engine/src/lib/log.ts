/** Facts of one event. Durations end in `Ms`, sizes in `Bytes`; an `error` field carries an Error with its causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where the engine says what happened: a fixed name per event, with fields, never a sentence.
 *
 * Names are `room.thing.happened`, for example `container.stop.killed`. Logging never throws and never waits.
 */
export interface Log {
  /** For whoever looks for a fault: off by default. */
  detail(name: string, fields?: LogFields): void;
  /** What an operator wants to read. */
  event(name: string, fields?: LogFields): void;
  /** Something is worse than it should be, and the engine goes on. */
  warning(name: string, fields?: LogFields): void;
  /** A failure of the engine's own: a bug or a broken host. */
  failure(name: string, error: unknown, fields?: LogFields): void;
}

/** Forgets everything. */
export const silentLog: Log = { detail() {}, event() {}, warning() {}, failure() {} };
