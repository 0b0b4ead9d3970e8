import type { ApiVersion, BodyOf, Endpoint, QueryOf } from '@fairlead/protocol';
import type { OperationCaller, OperationHandle } from '../core/operation/operation-handle.ts';

/** Who sent the request. */
export type Caller = OperationCaller;

/** One decoded request, as a handler gets it. */
export interface Call<E extends Endpoint = Endpoint> {
  /** @returns the decoded value of `{name}` or `{name...}` in the endpoint's path. Throws when the path has none: a bug. */
  param(name: string): string;
  /** The first value of a request header, whatever its name's case. */
  header(name: string): string | undefined;
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
