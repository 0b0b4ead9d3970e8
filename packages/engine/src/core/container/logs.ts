import {
  encodeFrameHeader,
  EngineError,
  formatLogTimestamp,
  type ContainerRef,
  type UnixNanos,
} from '@fairlead/protocol';
import type { LogQuery, LogRecord } from '../ports/container-log.ts';
import { logDetails } from '../spec/log-attributes.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerState } from './state.ts';

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
  /** What the container's log options add to each record, for whoever asks for details. */
  readonly details: string;
}

/**
 * What a container wrote, oldest first; with `follow` until it stops, is removed, or `signal` aborts.
 * @throws EngineError 'not-found'; 'not-implemented' in Docker's words when its log driver keeps nothing.
 */
export function containerLogs(
  deps: Pick<ContainerDeps, 'directory' | 'logs'>,
  ref: ContainerRef,
  request: ContainerLogsRequest & { readonly signal: AbortSignal },
): ContainerLogs {
  const actor = deps.directory.resolve(ref);
  const { config, hostConfig } = actor.record;
  if (hostConfig.LogConfig.Type === 'none') {
    throw new EngineError('not-implemented', 'configured logging driver does not support reading');
  }
  const query: LogQuery = {
    // Nothing more comes from one that has stopped: its last line is whole, with or without a line end.
    follow: request.follow === true && runs(actor.state) ? stopped(actor, request.signal) : undefined,
    sinceNanos: request.since,
    untilNanos: request.until === 0n ? undefined : request.until,
    tail: request.tail,
    streams: new Set([
      ...(request.stdout ? (['stdout'] as const) : []),
      ...(request.stderr ? (['stderr'] as const) : []),
    ]),
  };
  return {
    tty: config.Tty,
    records: deps.logs.read(actor.id, query, request.signal),
    details: detailsOf(actor.record),
  };
}

function detailsOf({ id, name, imageId, config, hostConfig }: ContainerRecord): string {
  const { Image: image, Labels: labels, Env: environment } = config;
  return logDetails({
    id,
    name,
    imageId,
    image,
    labels,
    environment: environment ?? [],
    options: hostConfig.LogConfig.Config,
  });
}

/** One chunk per record: bytes for a terminal, else a stdcopy frame. Source: engine-api 8.1. */
export async function* logChunks(
  { tty, records, details }: ContainerLogs,
  options: { readonly timestamps: boolean; readonly details: boolean },
): AsyncGenerator<Uint8Array> {
  for await (const { stream, timeNanos, text } of records) {
    const time = options.timestamps ? `${formatLogTimestamp(timeNanos)} ` : '';
    const prefix = Buffer.from(options.details ? `${time}${details} ` : time);
    const header = tty ? Buffer.alloc(0) : encodeFrameHeader(stream, prefix.length + text.length);
    yield Buffer.concat([header, prefix, text]);
  }
}

/** The end of the run under way; a container that only restarts has stopped, too, and so has one that never ran. */
async function stopped(actor: ContainerActor, signal: AbortSignal): Promise<void> {
  try {
    await actor.when((state) => !runs(state), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function runs({ status }: ContainerState): boolean {
  return status === 'running' || status === 'starting';
}
