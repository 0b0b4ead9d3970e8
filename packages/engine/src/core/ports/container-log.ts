import type { ContainerId } from '@fairlead/protocol';
import type { OutputStream } from './console.ts';

/** One line of a container's output, or a piece of a line that is longer than 16384 bytes. */
export interface LogRecord {
  readonly stream: OutputStream;
  /** When it was written: nanoseconds since 1970. */
  readonly timeNanos: bigint;
  /** With its newline; without one when it is a piece, or the unfinished last line of a run. Belongs to the receiver. */
  readonly text: Uint8Array;
}

/** Which records of a log, and whether to wait for more. */
export interface LogQuery {
  /** Goes on with what is written later, until this promise (the container has stopped) resolves and all is read. */
  readonly follow?: Promise<unknown> | undefined;
  /** Leaves out records before this time. */
  readonly sinceNanos?: bigint | undefined;
  /** Ends at the first record after this time; with `follow` also when that time comes. */
  readonly untilNanos?: bigint | undefined;
  /** Only the last so many records, counted over both streams and before `since` and `until`, as Docker does. */
  readonly tail?: number | undefined;
  readonly streams: ReadonlySet<OutputStream>;
}

/** How much of a log is kept. */
export interface LogLimits {
  /** A file that is larger is rotated; it may grow past this by what is written within 0.1 s. */
  readonly fileBytesMax: number;
  /** Files that are kept, the current one among them; at least 1. */
  readonly filesMax: number;
}

/** What containers wrote, over all their runs. */
export interface ContainerLog {
  /** Oldest first. A container without a log has no records. @throws signal.reason when aborted. */
  read(id: ContainerId, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord>;
  /**
   * Marks the end of a run, so that its unfinished last line is not joined with the next run's first. To be called
   * before each start; may be repeated.
   */
  seal(id: ContainerId): Promise<void>;
  /** Keeps the log of a running container within limits, until disposed. `onFailed` hears of a rotation that failed. */
  limit(id: ContainerId, limits: LogLimits, onFailed: (error: unknown) => void): Disposable;
  /** Deletes all its files. Nothing to do is success. */
  remove(id: ContainerId): Promise<void>;
}
