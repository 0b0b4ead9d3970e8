import { type Asking, byteChunks } from '../call.ts';
import type { HttpAnswer } from '../transport/http-connections.ts';
import { type LogLine, LogLines } from './log-lines.ts';
import { type OutputChunk, OutputDecoder } from './output-decoder.ts';
import { streamFailure } from './stream-failure.ts';

/** What is known of a log before it is read. */
export interface OpenLog extends Asking {
  readonly answer: HttpAnswer;
  /** Its container has no terminal. */
  readonly framed: boolean;
}

/** The log as bytes, in the engine's order. Breaking off frees the connection. @throws as `streamFailure`. */
export async function* logChunks(log: OpenLog): AsyncGenerator<OutputChunk, void, undefined> {
  const output = new OutputDecoder({ framed: log.framed });
  try {
    for await (const bytes of byteChunks(log.answer.body)) for (const chunk of output.push(bytes)) yield chunk;
    output.end();
  } catch (cause) {
    throw streamFailure(log, cause);
  } finally {
    log.answer.body.destroy();
  }
}

/** A log that was asked for with timestamps, line by line. Breaking off frees the connection. @throws as `streamFailure`. */
export async function* logLines(log: OpenLog): AsyncGenerator<LogLine, void, undefined> {
  const output = new OutputDecoder({ framed: log.framed, records: true });
  const lines = { stdout: new LogLines('stdout', log.framed), stderr: new LogLines('stderr', log.framed) };
  try {
    for await (const bytes of byteChunks(log.answer.body)) {
      const ended = output.push(bytes).flatMap((chunk) => lines[chunk.stream].push(chunk));
      for (const line of ended) yield line;
    }
    output.end();
    for (const stream of ['stdout', 'stderr'] as const) for (const line of lines[stream].end()) yield line;
  } catch (cause) {
    throw streamFailure(log, cause);
  } finally {
    log.answer.body.destroy();
  }
}
