import { byteChunks } from '../call.ts';
import { connectionLost } from '../errors.ts';
import type { HttpAnswer } from '../transport/http-connections.ts';
import type { OutputChunk } from './output-decoder.ts';
import { OutputDecoder } from './output-decoder.ts';

/** A longer line is handed on in pieces. Engines cut their records at 16 KiB; this leaves room for timestamps and details. */
export const LOG_LINE_BYTES_MAX: number = 64 * 1024;

/** One line, without its end. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When the engine read it; only if asked for with `timestamps`. As the engine wrote it: nanoseconds, UTC. */
  readonly time: string | undefined;
  readonly text: string;
}

/** The log as bytes, in the engine's order. Breaking off frees the connection. @throws ConnectionLostError */
export async function* logChunks(
  answer: HttpAnswer,
  log: { readonly framed: boolean; readonly operation: string },
): AsyncGenerator<OutputChunk, void, undefined> {
  const output = new OutputDecoder(log.framed);
  try {
    for await (const bytes of byteChunks(answer.body)) yield* output.push(bytes);
    output.end();
  } catch (cause) {
    throw connectionLost(log.operation, cause);
  } finally {
    answer.body.destroy();
  }
}

/** Cuts a log into lines, each stream for itself, also where a chunk ends within a character. */
export async function* logLines(
  chunks: AsyncIterable<OutputChunk>,
  options: { readonly timestamps: boolean },
): AsyncGenerator<LogLine, void, undefined> {
  const cutters = { stdout: new LineCutter(), stderr: new LineCutter() };
  const line = (stream: 'stdout' | 'stderr', text: string): LogLine => {
    const at = options.timestamps ? text.indexOf(' ') : -1;
    return at === -1
      ? { stream, time: undefined, text }
      : { stream, time: text.slice(0, at), text: text.slice(at + 1) };
  };
  for await (const { stream, bytes } of chunks) {
    for (const text of cutters[stream].push(bytes)) yield line(stream, text);
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const rest = cutters[stream].end();
    if (rest !== '') yield line(stream, rest);
  }
}

class LineCutter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  *push(bytes: Uint8Array): Generator<string, void, undefined> {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = parts.pop() ?? '';
    yield* parts.map((part) => part.replace(/\r$/, ''));
    while (this.#rest.length > LOG_LINE_BYTES_MAX) {
      yield this.#rest.slice(0, LOG_LINE_BYTES_MAX);
      this.#rest = this.#rest.slice(LOG_LINE_BYTES_MAX);
    }
  }

  end(): string {
    return this.#rest + this.#decoder.decode();
  }
}
