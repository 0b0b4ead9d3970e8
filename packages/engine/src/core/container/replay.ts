import type { ConsoleConnection, OutputChunk } from '../ports/console.ts';
import type { LogRecord } from '../ports/container-log.ts';

/** The log so far, then the live connection; either may be left out. Live output waits with the process meanwhile. */
export async function replayThen(
  past: AsyncIterable<LogRecord> | undefined,
  connecting: Promise<ConsoleConnection> | undefined,
): Promise<ConsoleConnection> {
  const live = await connecting;
  if (past === undefined && live !== undefined) return live;
  return {
    output: chain(past, live),
    write: async (bytes) => await live?.write(bytes),
    endInput: async () => await live?.endInput(),
    [Symbol.asyncDispose]: async () => await live?.[Symbol.asyncDispose](),
  };
}

async function* chain(
  past: AsyncIterable<LogRecord> | undefined,
  live: ConsoleConnection | undefined,
): AsyncGenerator<OutputChunk> {
  if (past !== undefined) for await (const { stream, text } of past) yield { stream, bytes: text };
  if (live !== undefined) yield* live.output;
}
