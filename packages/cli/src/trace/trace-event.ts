import type { BodyFacts } from './body-facts.ts';
import type { Header } from './http-parser.ts';

/** The two ends of a connection that goes through the tracer. */
export type Side = 'client' | 'engine';

/**
 * How a side ended: `half-close` it sends no more and still reads; `close` it is gone; `reset` it is gone in the middle. Over TCP the
 * first two look the same: `fin`.
 */
export type EndKind = 'half-close' | 'fin' | 'close' | 'reset';

/** What was in the middle when a side ended. */
export type Cut =
  | { readonly within: 'head' }
  | { readonly within: 'body'; readonly missingBytes: number | undefined }
  | { readonly within: 'frame'; readonly headerBytes: number; readonly missingBytes: number };

/** Some of a body. Binary is not kept. */
export interface BodyExcerpt {
  readonly text: string;
  readonly bytes: number;
  /** There was more. */
  readonly cut: boolean;
}

/** What an inspect or wait of the tracer's own found out about a container. Times are of the trace. */
export type ContainerFate =
  | {
      readonly known: 'state';
      readonly id: string;
      readonly status: string;
      readonly running: boolean;
      readonly exitCode: number;
      readonly outOfMemory: boolean;
      /** RFC 3339, by the engine's clock; `ZERO_TIME` when it never ended. */
      readonly finishedAt: string;
      /** `null`: none of its own. Infinity is written as a negative number. */
      readonly stopTimeoutSeconds: number | null;
    }
  | { readonly known: 'gone' }
  | { readonly known: 'nothing'; readonly why: string };

interface OnConnection {
  /** Counted from 1. */
  readonly connection: number;
}

interface OnExchange extends OnConnection {
  /** A request and its answer, counted from 1 over all connections. */
  readonly exchange: number;
}

/** Everything a trace knows, one thing after the other: this is what `--save` writes, a line of JSON each. */
export type TraceEvent = { readonly atMs: number } & (
  | {
      readonly type: 'begin';
      readonly format: typeof TRACE_FORMAT;
      /** RFC 3339; every `atMs` counts from here. */
      readonly startedAt: string;
      readonly engine: string;
      /** Empty for a trace that only listens. */
      readonly command: readonly string[];
    }
  | ({ readonly type: 'connect' } & OnConnection)
  /** The connection to the engine is open, too: now what the client has sent is read. */
  | ({ readonly type: 'connected' } & OnConnection)
  | ({ readonly type: 'connect-failed'; readonly errno: string; readonly message: string } & OnConnection)
  | ({
      readonly type: 'request';
      readonly method: string;
      readonly target: string;
      readonly headers: readonly Header[];
    } & OnExchange)
  | ({
      readonly type: 'request-end';
      readonly bytes: number;
      readonly facts: BodyFacts;
      readonly body?: BodyExcerpt;
    } & OnExchange)
  | ({
      readonly type: 'answer';
      readonly status: number;
      readonly reason: string;
      readonly headers: readonly Header[];
    } & OnExchange)
  | ({
      readonly type: 'answer-end';
      readonly bytes: number;
      readonly facts: BodyFacts;
      readonly body?: BodyExcerpt;
    } & OnExchange)
  | ({ readonly type: 'stream'; /** `null`: its first bytes tell. */ readonly framed: boolean | null } & OnExchange)
  | ({ readonly type: 'moved'; readonly side: Side; readonly bytes: number } & OnExchange)
  | ({ readonly type: 'detach-keys' } & OnExchange)
  | ({ readonly type: 'cut'; readonly side: Side; readonly cut: Cut } & OnExchange)
  | ({ readonly type: 'unparsable'; readonly side: Side; readonly why: string } & OnConnection)
  | ({ readonly type: 'end'; readonly side: Side; readonly how: EndKind } & OnConnection)
  | ({ readonly type: 'closed'; readonly clientBytes: number; readonly engineBytes: number } & OnConnection)
  | {
      readonly type: 'look';
      /** The exchange because of which the tracer asked. */
      readonly exchange: number;
      /** `asked`: right away; `ended`: when it did not run any more; `bound`: the tracer gave up waiting. */
      readonly when: 'asked' | 'ended' | 'bound';
      readonly ref: string;
      readonly killConfirmMs: number;
      readonly fate: ContainerFate;
    }
  | {
      readonly type: 'exec-look';
      readonly exchange: number;
      readonly exec: string;
      /** `null`: it still runs; undefined: the engine would not say. */
      readonly exitCode?: number | null;
    }
  | {
      readonly type: 'finish';
      /** Of the command; `null` for a trace that only listens. */
      readonly exitCode: number | null;
      /** A person, or a signal that was passed on, ended it. */
      readonly interrupted: boolean;
      readonly openConnections: number;
    }
);

/** The first line of a recording says so. */
export const TRACE_FORMAT = 'fairlead-trace/1';
