import { nanosFromDate } from '@fairlead/protocol';
import type { ConsoleConnection, OutputChunk } from '../ports/console.ts';
import type { LogRecord } from '../ports/container-log.ts';
import type { Attachment } from './attach.ts';
import type { ContainerDeps } from './deps.ts';
import { containerLogs, type ContainerLogsRequest } from './logs.ts';

/** What a connection may take longer than the clock says: it counts whole milliseconds. */
const CLOCK_STEP_NANOS = 1_000_000n;

/** The streams of a log to play back, for whoever is still there. */
export type Replay = Pick<ContainerLogsRequest, 'stdout' | 'stderr'> & { readonly signal: AbortSignal };

/**
 * How to open an attachment: with `replay`, what was logged until it was connected comes before what comes live, which waits with the
 * process meanwhile.
 * @throws EngineError 'not-implemented' at once, when nothing is logged.
 */
export function openAttachment(
  deps: Pick<ContainerDeps, 'directory' | 'logs' | 'clock'>,
  attachment: Attachment,
  replay: Replay | undefined,
): () => Promise<ConsoleConnection> {
  const read = (until?: bigint): AsyncIterable<LogRecord> | undefined =>
    replay && containerLogs(deps, attachment.actor.id, { ...replay, until }).records;
  read();
  return async () => {
    const live = await attachment.connect();
    if (replay === undefined && live !== undefined) return live;
    // What is written later comes live, too, and would be told twice.
    const past = read(live && nanosFromDate(deps.clock.now()) + CLOCK_STEP_NANOS);
    return {
      output: chain(past, live),
      write: async (bytes) => await live?.write(bytes),
      endInput: async () => await live?.endInput(),
      [Symbol.asyncDispose]: async () => await live?.[Symbol.asyncDispose](),
    };
  };
}

async function* chain(
  past: AsyncIterable<LogRecord> | undefined,
  live: ConsoleConnection | undefined,
): AsyncGenerator<OutputChunk> {
  if (past !== undefined) for await (const { stream, text } of past) yield { stream, bytes: text };
  if (live !== undefined) yield* live.output;
}
