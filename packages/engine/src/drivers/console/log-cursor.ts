import type { LogRecord } from '../../core/ports/container-log.ts';
import type { ReadableFile } from '../../host/readable-file.ts';
import { openLogFiles } from './log-files.ts';
import { LogJoiner } from './log-joiner.ts';
import { LogLineParser } from './log-line.ts';
import { LogLines } from './log-lines.ts';
import type { TailStart } from './log-tail.ts';

/** Reads a log forward through all its files, also while it is written and rotated. Owns the files it was given. */
export class LogCursor implements AsyncDisposable {
  readonly #path: string;
  readonly #parser = new LogLineParser();
  readonly #joiner = new LogJoiner();
  /** Still to be read after the current one, oldest first. */
  #newer: ReadableFile[];
  #current: { readonly file: ReadableFile; readonly lines: LogLines } | undefined;

  /** @param files newest first, those before `start` left out. */
  constructor(path: string, files: readonly ReadableFile[], start: TailStart) {
    this.#path = path;
    const [oldest, ...newer] = files.slice(0, start.index + 1).toReversed();
    this.#newer = newer;
    if (oldest !== undefined) this.#current = { file: oldest, lines: new LogLines(oldest, start.position) };
  }

  /** @returns the next records, in batches as they are read; undefined when nothing more is there at the moment. */
  async next(): Promise<readonly LogRecord[] | undefined> {
    for (;;) {
      const lines = await this.#current?.lines.next();
      if (lines === undefined) {
        if (!(await this.#advance())) return undefined;
        continue;
      }
      const records = lines.flatMap((bytes) => {
        const line = this.#parser.parse(bytes);
        return line === undefined ? [] : this.#joiner.push(line);
      });
      if (records.length > 0) return records;
    }
  }

  /** @returns what was written of lines that will not be finished. */
  end(): readonly LogRecord[] {
    return this.#joiner.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const files = [this.#current?.file, ...this.#newer];
    this.#current = undefined;
    this.#newer = [];
    for (const file of files) await file?.[Symbol.asyncDispose]();
  }

  /** At the end of the current file: goes on to the next. @returns false when there is none. */
  async #advance(): Promise<boolean> {
    const next = this.#newer[0];
    if (next === undefined) {
      const found = await openLogFiles(this.#path, this.#current?.file.identity);
      this.#newer = found.toReversed();
      // The monitor changes over before it gives the new file its name: what we have is complete now, but was maybe not
      // when we read to its end. So it is read once more before we leave it.
      return this.#newer.length > 0;
    }
    this.#newer = this.#newer.slice(1);
    await this.#current?.file[Symbol.asyncDispose]();
    this.#current = { file: next, lines: new LogLines(next, 0) };
    return true;
  }
}
