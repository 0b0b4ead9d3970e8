import type { Endpoint, ResponseOf } from '@fairlead/protocol';
import type { ConsoleConnection } from '../core/ports/console.ts';
import type { Call } from './call.ts';
import { decodeCall, type RequestHead } from './decode.ts';

export type { Call, Caller } from './call.ts';

/** What a handler answers; `T` is the document. `status` defaults to the endpoint's first success status. */
export type Reply<T = unknown> =
  | { readonly kind: 'empty'; readonly status?: number }
  | { readonly kind: 'json'; readonly body: T; readonly status?: number }
  | { readonly kind: 'text'; readonly text: string; readonly status?: number }
  | JsonStreamReply<T>
  | BytesReply
  | HijackReply
  | WebSocketReply;

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
export interface HijackReply extends SessionReply {
  readonly kind: 'hijack';
  /** Which of Docker's two heads: exec's carries the engine's headers, attach's carries none. */
  readonly head: 'exec' | 'attach';
  /** `raw` for a terminal, else `stdcopy` frames. */
  readonly framing: 'raw' | 'stdcopy';
}

/**
 * The connection becomes a WebSocket: each chunk of output is a message, each message is input.
 *
 * Only for endpoints whose response is `web-socket`; a request that is no handshake is refused before `open` is called.
 */
export interface WebSocketReply extends SessionReply {
  readonly kind: 'web-socket';
  /** What output is sent as; input may be either. */
  readonly messages: 'binary' | 'text';
}

/** A two-way session with a process. */
export interface SessionReply {
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
export function route<E extends Endpoint>(
  endpoint: E,
  handle: (call: Call<E>) => Promise<Reply<ResponseOf<E>>>,
): Route {
  return {
    endpoint,
    run: async (head) => {
      const decoded = await decodeCall(endpoint, head);
      return await handle({ ...decoded, operation: head.beginOperation(decoded) });
    },
  };
}
