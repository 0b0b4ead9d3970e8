/** A longer line is handed on in pieces. */
export const LOG_LINE_CHARS_MAX: number = 64 * 1024;

/** Engines cut what has no end of line after so many bytes. Source: moby daemon/logger/copier.go, defaultBufSize. */
const RECORD_BYTES_MAX = 16 * 1024;
/** `2026-01-01T00:00:00.123456789+01:00`, and some room. */
const STAMP_BYTES_MAX = 40;
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** One line of a log, without its end. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When the engine read its beginning, to the millisecond; undefined when the engine did not say. */
  readonly time: Date | undefined;
  /** The same as the engine wrote it: RFC 3339 with nanoseconds. */
  readonly timestamp: string | undefined;
  readonly text: string;
}

/**
 * Puts one stream's log records together to lines: takes the timestamp off each, joins what the engine cut, also within a
 * character.
 */
export class LogLines {
  readonly #stream: LogLine['stream'];
  readonly #framed: boolean;
  readonly #decoder = new TextDecoder();
  #text = '';
  #timestamp: string | undefined;
  /** A timestamp that may still be incomplete; undefined while text is read. */
  #stamp: string | undefined = '';
  #recordBytes = 0;

  constructor(stream: LogLine['stream'], framed: boolean) {
    this.#stream = stream;
    this.#framed = framed;
  }

  /** The lines that `bytes` ends. `begins`: a record begins with them; without frames only the line ends tell. */
  push(chunk: { readonly bytes: Uint8Array; readonly begins: boolean }): readonly LogLine[] {
    const { bytes } = chunk;
    const lines: LogLine[] = [];
    if (chunk.begins) this.#stamp = '';
    let at = 0;
    while (at < bytes.length) {
      if (this.#stamp !== undefined) {
        at = this.#takeStamp(bytes, at);
        continue;
      }
      const newline = bytes.indexOf(NEWLINE, at);
      const end = this.#recordEnd(at, newline === -1 ? bytes.length : newline);
      this.#append(bytes.subarray(at, end));
      at = end;
      if (end === newline) {
        lines.push(this.#line(this.#text + this.#decoder.decode()));
        this.#text = '';
        this.#timestamp = undefined;
        this.#beginRecord();
        at += 1;
      }
      while (this.#text.length > LOG_LINE_CHARS_MAX) {
        lines.push(this.#line(this.#text.slice(0, LOG_LINE_CHARS_MAX)));
        this.#text = this.#text.slice(LOG_LINE_CHARS_MAX);
      }
    }
    return lines;
  }

  /** What came after the last line end. */
  end(): readonly LogLine[] {
    const text = this.#text + (this.#stamp ?? '') + this.#decoder.decode();
    return text === '' ? [] : [this.#line(text)];
  }

  /** Without frames a record that was cut shows only by its length. */
  #recordEnd(at: number, end: number): number {
    if (this.#framed) return end;
    return Math.min(end, at + RECORD_BYTES_MAX - this.#recordBytes);
  }

  #append(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    this.#recordBytes += bytes.length;
    if (!this.#framed && this.#recordBytes >= RECORD_BYTES_MAX) this.#beginRecord();
  }

  #beginRecord(): void {
    this.#recordBytes = 0;
    this.#stamp = '';
  }

  /** Reads up to the blank after a timestamp; what turns out to be none is text. */
  #takeStamp(bytes: Uint8Array, at: number): number {
    const most = Math.min(bytes.length, at + STAMP_BYTES_MAX - (this.#stamp ?? '').length);
    let end = at;
    while (end < most && bytes[end] !== SPACE && bytes[end] !== NEWLINE) end += 1;
    const head = (this.#stamp ?? '') + Buffer.from(bytes.subarray(at, end)).toString('latin1');
    if (end === bytes.length && head.length < STAMP_BYTES_MAX) {
      this.#stamp = head;
      return end;
    }
    this.#stamp = undefined;
    if (bytes[end] === SPACE && STAMP.test(head)) {
      this.#timestamp ??= head;
      return end + 1;
    }
    this.#append(Buffer.from(head, 'latin1'));
    return end;
  }

  #line(text: string): LogLine {
    return new TimedLine(this.#stream, this.#timestamp, text.endsWith('\r') ? text.slice(0, -1) : text);
  }
}

/** Most readers look at the text only: the time is worked out when it is asked for. */
class TimedLine implements LogLine {
  readonly stream: LogLine['stream'];
  readonly timestamp: string | undefined;
  readonly text: string;

  constructor(stream: LogLine['stream'], timestamp: string | undefined, text: string) {
    this.stream = stream;
    this.timestamp = timestamp;
    this.text = text;
  }

  get time(): Date | undefined {
    return this.timestamp === undefined ? undefined : new Date(this.timestamp);
  }
}
