import type { OutputStream } from '../../core/ports/console.ts';

/**
 * What a line of the log is: a whole line or a line's last part, a part that goes on, or our own mark that a run ended.
 * Source of F and P: the CRI log format, kubernetes/design-proposals-archive node/kubelet-cri-logging.md.
 */
export type LogTag = 'full' | 'part' | 'end-of-run';

/** What a line of the log says about itself. */
export interface LogHead {
  readonly stream: OutputStream;
  readonly tag: LogTag;
}

/** A parsed line of the log. */
export interface LogLine extends LogHead {
  readonly timeNanos: bigint;
  /** With the file's newline, which only for `full` is the container's own. A view of the bytes that were parsed. */
  readonly text: Uint8Array;
}

const SPACE = 0x20;
const LETTER_F = 0x46;
const LETTER_P = 0x50;
const LETTER_E = 0x45;
/** `2026-11-22T04:42:28.700836243+00:00`; always nine digits and an offset. */
const TIME_CHARACTERS = 35;
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})([+-]\d\d:\d\d)$/;
const NANOS_PER_MS = 1_000_000n;

/** Parses lines of a container's log, remembering the last time it saw: all lines of one read(2) carry the same. */
export class LogLineParser {
  #timeText = '';
  #timeNanos: bigint | undefined;

  /** @param line one line with its newline. Undefined when it is not such a line (a disk that filled up cuts lines off). */
  parse(line: Buffer): LogLine | undefined {
    const head = parseLogHead(line);
    if (head === undefined) return undefined;
    const timeNanos = this.#time(line.toString('latin1', 0, TIME_CHARACTERS));
    if (timeNanos === undefined) return undefined;
    return { ...head, timeNanos, text: line.subarray(TIME_CHARACTERS + 10) };
  }

  #time(text: string): bigint | undefined {
    if (text === this.#timeText) return this.#timeNanos;
    this.#timeText = text;
    this.#timeNanos = parseLogTime(text);
    return this.#timeNanos;
  }
}

/** What a line is and whose, without its time; undefined as in {@link LogLineParser.parse}. */
export function parseLogHead(line: Buffer): LogHead | undefined {
  // TIME SPACE stdout|stderr SPACE F|P SPACE text: both names have six letters, so every place is fixed.
  const tag = tagOf(line[TIME_CHARACTERS + 8]);
  if (tag === undefined || line[TIME_CHARACTERS] !== SPACE || line[TIME_CHARACTERS + 9] !== SPACE) return undefined;
  const stream = line.toString('latin1', TIME_CHARACTERS + 1, TIME_CHARACTERS + 7);
  return stream === 'stdout' || stream === 'stderr' ? { stream, tag } : undefined;
}

/** The mark that a run ended here, as a line of the log. */
export function endOfRunLine(at: Date): string {
  return `${at.toISOString().slice(0, 19)}.${String(at.getTime() % 1000).padStart(3, '0')}000000+00:00 stdout E \n`;
}

function parseLogTime(text: string): bigint | undefined {
  const [, seconds, nanos, offset] = TIME.exec(text) ?? [];
  if (seconds === undefined || nanos === undefined || offset === undefined) return undefined;
  const ms = Date.parse(`${seconds}${offset}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * NANOS_PER_MS + BigInt(nanos);
}

function tagOf(letter: number | undefined): LogTag | undefined {
  if (letter === LETTER_F) return 'full';
  if (letter === LETTER_P) return 'part';
  return letter === LETTER_E ? 'end-of-run' : undefined;
}
