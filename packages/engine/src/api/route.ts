import type { ApiVersion, BodyOf, Endpoint, QueryOf, ResponseOf } from '@fairlead/protocol';
import type { OperationCaller, OperationHandle } from '../core/operation/operation-handle.ts';
import type { ConsoleConnection } from '../core/ports/console.ts';
import { decodeCall, type RequestHead } from './decode.ts';

/** Who sent the request. */
export type Caller = OperationCaller;

/** One decoded request, as a handler gets it. */
export interface Call<E extends Endpoint = Endpoint> {
  /** @returns the decoded value of `{name}` or `{name...}` in the endpoint's path. Throws when the path has none: a bug. */
  param(name: string): string;
  readonly query: QueryOf<E>;
  /** The decoded JSON document; undefined unless the endpoint's body is `json`. */
  readonly body: BodyOf<E>;
  /** The request's body as it arrives, pulled. Empty unless the endpoint's body is `bytes`. Throws when the client breaks off. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Content-Length as sent; `chunked` when it has no length; 0 when there is no body. For `none` bodies it was thrown away. */
  readonly bodyLength: number | 'chunked';
  readonly apiVersion: ApiVersion;
  readonly caller: Caller;
  /** How long the caller will still listen, in milliseconds (`Fairlead-Budget`); undefined when it did not say. */
  readonly budgetMs: number | undefined;
  /**
   * Aborts when the client hangs up, half-closes (which on an ordinary request means that it is gone), or the engine drains;
   * the reason is a `Hangup`. Verbs that own their work ignore it; handlers that only wait or stream must end.
   */
  readonly hangup: AbortSignal;
  /** The ledger's operation; undefined when the endpoint changes nothing. The API begins and ends it. */
  readonly operation: OperationHandle | undefined;
  /** Adds a response header, also to a refusal. No effect on the heads of hijacked streams, which are fixed. */
  setHeader(name: string, value: string): void;
}

/** What a handler answers; `T` is the document. `status` defaults to the endpoint's first success status. */
export type Reply<T = unknown> =
  | { readonly kind: 'empty'; readonly status?: number }
  | { readonly kind: 'json'; readonly body: T; readonly status?: number }
  | { readonly kind: 'text'; readonly text: string; readonly status?: number }
  | JsonStreamReply<T>
  | BytesReply
  | HijackReply;

/**
 * JSON documents, one per line and HTTP chunk. The head is sent before the first document is asked for.
 *
 * Work that must happen before the head (registering a waiter) belongs before the reply is returned. `items` must end when
 * `hangup` aborts. If it throws after the head was sent, the connection is cut, so that no client takes the part for the whole.
 */
export interface JsonStreamReply<T = unknown> {
  readonly kind: 'json-stream';
  readonly items: AsyncIterable<T>;
  /** What ends each line; Docker's progress streams use `\r\n`. Default `\n`. */
  readonly lineEnd?: '\n' | '\r\n';
}

/** Bytes, one HTTP chunk per item; otherwise as `JsonStreamReply`. */
export interface BytesReply {
  readonly kind: 'bytes';
  readonly contentType: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * The connection becomes a two-way stream, once all that can be said in HTTP was said.
 *
 * Only for endpoints whose response is `hijack`. The API writes the head, then calls `open`, pumps, disposes the session, and
 * reports the ending.
 */
export interface HijackReply {
  readonly kind: 'hijack';
  /** Which of Docker's two heads: exec's carries the engine's headers, attach's carries none. */
  readonly head: 'exec' | 'attach';
  /** `raw` for a terminal, else `stdcopy` frames. */
  readonly framing: 'raw' | 'stdcopy';
  /** What the client asked for. Input of a session without stdin is thrown away, and so is output that was not asked for. */
  readonly streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Keys that end the stream, as bytes; undefined where they mean nothing (no terminal, no stdin). */
  readonly detachKeys: Uint8Array | undefined;
  /** What the client's half-close means for this session. Source: engine-api 5.4 and 6. */
  readonly onHalfClose: 'end-input' | 'close-stream' | 'ignore';
  /**
   * Called after the head was sent. A failure becomes text in the stream, as Docker does.
   *
   * The session's `output` must end only when everything that must be true at the stream's end is stored (the exit code).
   */
  open(): Promise<ConsoleConnection>;
  /** Called once, when the session was disposed, with what ended it. */
  ended?(ending: SessionEnding): void;
}

/** What ended a hijacked session; the first that happened. */
export type SessionEnding =
  | { readonly by: 'output-ended' }
  /** The client closed its end or the connection broke. */
  | { readonly by: 'client-gone' }
  /** The client half-closed, and that ends this session; or nothing was asked for. */
  | { readonly by: 'input-ended' }
  | { readonly by: 'detach-keys' }
  | { readonly by: 'draining' }
  /** `open`, or the session's output, failed. */
  | { readonly by: 'failed'; readonly error: unknown };

/** One row of the table with its handler, types erased. */
export interface Route {
  readonly endpoint: Endpoint;
  /** Decodes, then begins the operation, then runs the handler. Rejects with what `fail` translates. */
  run(head: RequestHead): Promise<Reply>;
}

/** Binds a handler to its row of the endpoint table; query and body arrive decoded and typed by the row. */
export function route<E extends Endpoint>(endpoint: E, handle: (call: Call<E>) => Promise<Reply<ResponseOf<E>>>): Route {
  return {
    endpoint,
    run: async (head) => {
      const decoded = await decodeCall(endpoint, head);
      return await handle({ ...decoded, operation: head.beginOperation(decoded) });
    },
  };
}
