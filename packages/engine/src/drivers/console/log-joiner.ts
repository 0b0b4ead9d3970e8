import type { OutputStream } from '../../core/ports/console.ts';
import type { LogRecord } from '../../core/ports/container-log.ts';
import type { LogLine } from './log-line.ts';

/** Longer lines become several records of this size, without newline. Source: moby daemon/logger/copier.go, defaultBufSize. */
export const LOG_RECORD_BYTES_MAX: number = 16 * 1024;

/** The beginning of a line whose end has not been read. */
interface OpenLine {
  readonly timeNanos: bigint;
  readonly bytes: Uint8Array;
}

/** Joins the parts of long or slowly written lines into Docker's records. Holds less than one record per stream. */
export class LogJoiner {
  readonly #open = new Map<OutputStream, OpenLine>();

  /** @returns the records that this line completes. */
  push(line: LogLine): readonly LogRecord[] {
    if (line.tag === 'end-of-run') return this.end();
    const open = this.#open.get(line.stream);
    const hasNewline = line.tag === 'full';
    if (hasNewline && open === undefined && line.text.length <= LOG_RECORD_BYTES_MAX) {
      return [{ stream: line.stream, timeNanos: line.timeNanos, text: line.text }];
    }
    const added = hasNewline ? line.text : line.text.subarray(0, -1);
    const bytes = open === undefined ? added : Buffer.concat([open.bytes, added]);
    return this.#cut(line, { timeNanos: open?.timeNanos ?? line.timeNanos, bytes });
  }

  /** @returns what was written of lines that will not be finished. */
  end(): readonly LogRecord[] {
    const records = [...this.#open].map(([stream, { timeNanos, bytes }]) => ({ stream, timeNanos, text: bytes }));
    this.#open.clear();
    return records;
  }

  /** Full records as soon as there is enough for one; the rest waits, unless its newline has come. */
  #cut({ stream, tag }: LogLine, { timeNanos, bytes }: OpenLine): readonly LogRecord[] {
    const records: LogRecord[] = [];
    const textLength = tag === 'full' ? bytes.length - 1 : bytes.length;
    let at = 0;
    for (; textLength - at >= LOG_RECORD_BYTES_MAX; at += LOG_RECORD_BYTES_MAX) {
      records.push({ stream, timeNanos, text: bytes.subarray(at, at + LOG_RECORD_BYTES_MAX) });
    }
    this.#open.delete(stream);
    if (tag === 'full') records.push({ stream, timeNanos, text: bytes.subarray(at) });
    else if (at < bytes.length) this.#open.set(stream, { timeNanos, bytes: bytes.subarray(at) });
    return records;
  }
}
