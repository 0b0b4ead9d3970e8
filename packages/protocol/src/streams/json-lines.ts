import { EngineError } from '../errors.ts';

/** A longer line is refused. Events and progress have some KB; an event carries a container's labels. */
export const JSON_LINE_CHARS_MAX: number = 1024 * 1024;

/** One document and the end of its line: `\n` for events and waits, `\r\n` for loads and pulls, as Docker writes them. */
export function encodeJsonLine(document: unknown, ending: '\n' | '\r\n' = '\n'): string {
  return `${JSON.stringify(document)}${ending}`;
}

/** Takes a stream of JSON lines apart, however it was cut; also within a character. Empty lines are skipped. */
export class JsonLineDecoder {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';

  /**
   * Yields the documents that `bytes` completes. Take everything before the next call.
   *
   * @throws EngineError 'invalid-argument' when a line is not JSON, 'too-large' when it is over `JSON_LINE_CHARS_MAX`.
   */
  *push(bytes: Uint8Array): Generator<unknown, void, void> {
    const text = this.#decoder.decode(bytes, { stream: true });
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      const line = this.#join(text.slice(at, end));
      this.#rest = '';
      at = end + 1;
      if (line.trim() !== '') yield parseLine(line);
    }
    this.#rest = this.#join(text.slice(at));
  }

  /** The last document, when it had no end of line. @throws EngineError 'unavailable' when it was cut off in the middle. */
  end(): unknown {
    const line = this.#rest + this.#decoder.decode();
    this.#rest = '';
    if (line.trim() === '') return undefined;
    try {
      return parseLine(line);
    } catch (cause) {
      throw new EngineError('unavailable', 'the stream ended in the middle of a line', { cause });
    }
  }

  #join(text: string): string {
    const line = this.#rest + text;
    if (line.length > JSON_LINE_CHARS_MAX) throw new EngineError('too-large', 'a line of the stream is too long');
    return line;
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new EngineError('invalid-argument', 'invalid JSON in the stream', {
      cause,
      details: { line: line.slice(0, 200) },
    });
  }
}
