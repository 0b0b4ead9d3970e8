import { encodeFrameHeader, formatLogTimestamp, type ContainerRef, type UnixNanos } from '@fairlead/protocol';
import type { LogQuery, LogRecord } from '../ports/container-log.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';

export interface ContainerLogsRequest {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow?: boolean | undefined;
  readonly since?: UnixNanos | undefined;
  /** 0 is no end. */
  readonly until?: UnixNanos | undefined;
  readonly tail?: number | undefined;
}

export interface ContainerLogs {
  readonly tty: boolean;
  readonly records: AsyncIterable<LogRecord>;
}

/**
 * What a container wrote, oldest first; with `follow` until it stops, is removed, or `signal` aborts.
 * @throws EngineError 'not-found'.
 */
export function containerLogs(
  deps: Pick<ContainerDeps, 'directory' | 'logs'>,
  ref: ContainerRef,
  request: ContainerLogsRequest & { readonly signal: AbortSignal },
): ContainerLogs {
  const actor = deps.directory.resolve(ref);
  const tty = actor.record.config.Tty;
  const query: LogQuery = {
    follow: request.follow === true ? stopped(actor, request.signal) : undefined,
    sinceNanos: request.since,
    untilNanos: request.until === 0n ? undefined : request.until,
    tail: request.tail,
    streams: new Set([
      ...(request.stdout ? (['stdout'] as const) : []),
      ...(request.stderr ? (['stderr'] as const) : []),
    ]),
  };
  return { tty, records: deps.logs.read(actor.id, query, request.signal) };
}

/** One chunk per record: bytes for a terminal, else a stdcopy frame. Source: engine-api 8.1. */
export async function* logChunks(
  { tty, records }: ContainerLogs,
  options: { readonly timestamps: boolean },
): AsyncGenerator<Uint8Array> {
  for await (const { stream, timeNanos, text } of records) {
    const prefix = options.timestamps ? Buffer.from(`${formatLogTimestamp(timeNanos)} `) : Buffer.alloc(0);
    const header = tty ? Buffer.alloc(0) : encodeFrameHeader(stream, prefix.length + text.length);
    yield Buffer.concat([header, prefix, text]);
  }
}

/** The end of the run under way; a container that only restarts has stopped, too, and so has one that never ran. */
async function stopped(actor: ContainerActor, signal: AbortSignal): Promise<void> {
  try {
    await actor.when(({ status }) => status !== 'running' && status !== 'starting', signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
