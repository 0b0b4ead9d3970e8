import type { Clock } from '../../core/ports/clock.ts';
import type { LogQuery, LogRecord } from '../../core/ports/container-log.ts';
import { LogCursor } from './log-cursor.ts';
import { openLogFiles } from './log-files.ts';
import { findTailStart, type TailStart } from './log-tail.ts';
import { LogWake } from './log-wake.ts';

export interface ReadLogDeps {
  readonly clock: Clock;
  /** The file the monitor writes; older ones are beside it, named path.1, path.2, …. */
  readonly path: string;
}

/**
 * Reads a monitor's log as Docker's records, oldest first; see {@link LogQuery}.
 * @throws signal.reason when aborted; an errno error.
 */
export async function* readLog(
  deps: ReadLogDeps,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, undefined> {
  let skip = await countBeforeTail(deps.path, query);
  for await (const batch of readBatches(deps, query, signal)) {
    for (const record of batch) {
      if (skip > 0) skip -= 1;
      else if (isPast(record, query)) return;
      else if (isWanted(record, query)) yield record;
    }
  }
}

async function* readBatches(
  deps: ReadLogDeps,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[], undefined> {
  signal.throwIfAborted();
  // Watching begins before the first look, so that nothing falls between.
  using wake = query.follow === undefined ? undefined : new LogWake(deps, { ...query, follow: query.follow });
  await using cursor = await openCursor(deps.path, query.tail);
  for (;;) {
    const last = wake === undefined || wake.ended;
    wake?.clear();
    for (let batch = await cursor.next(); batch !== undefined; batch = await cursor.next()) {
      yield batch;
      signal.throwIfAborted();
    }
    if (last) break;
    await wake.wait(signal);
    if (wake.expired) return;
  }
  yield cursor.end();
}

/** How many records lie between the place where reading for `tail` begins and the last `tail` ones. */
async function countBeforeTail(path: string, query: LogQuery): Promise<number> {
  if (query.tail === undefined) return 0;
  await using cursor = await openCursor(path, query.tail);
  let count = 0;
  for (let batch = await cursor.next(); batch !== undefined; batch = await cursor.next()) count += batch.length;
  // A line that may still be finished is not a record yet.
  if (query.follow === undefined) count += cursor.end().length;
  return Math.max(0, count - query.tail);
}

async function openCursor(path: string, tail: number | undefined): Promise<LogCursor> {
  const files = await openLogFiles(path);
  const start: TailStart =
    tail === undefined ? { index: Math.max(0, files.length - 1), position: 0 } : await findTailStart(files, tail);
  for (const file of files.slice(start.index + 1)) await file[Symbol.asyncDispose]();
  return new LogCursor(path, files, start);
}

function isPast(record: LogRecord, query: LogQuery): boolean {
  return query.untilNanos !== undefined && record.timeNanos > query.untilNanos;
}

function isWanted(record: LogRecord, query: LogQuery): boolean {
  if (query.sinceNanos !== undefined && record.timeNanos < query.sinceNanos) return false;
  return query.streams.has(record.stream);
}
