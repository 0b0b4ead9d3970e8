import type * as v from 'valibot';
import type { QueryShape } from './codec/query.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** The verbs that the operation ledger keeps. */
export type OperationVerb =
  | 'create' | 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'unpause' | 'rename' | 'remove'
  | 'exec-create' | 'exec-start' | 'image-load' | 'image-import' | 'image-tag' | 'image-remove';

/**
 * What a request carries in its body.
 *
 * - `none`: nothing; a body is read and thrown away.
 * - `json`: one JSON document, matched by `schema` after Go's JSON manners. `optional` accepts an empty body as `{}`.
 * - `bytes`: a stream (tar), handed on as it arrives.
 */
export type RequestBody<S extends v.GenericSchema = v.GenericSchema> =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly schema: S; readonly optional: boolean }
  | { readonly kind: 'bytes' };

/**
 * What a successful answer looks like.
 *
 * - `empty`: no body. - `json`: one document. - `text`: plain text.
 * - `json-stream`: one JSON document per line, sent as it happens, head flushed at once.
 * - `bytes`: raw bytes or stdcopy frames, chunked, head flushed at once.
 * - `hijack`: the connection becomes a two-way byte stream (101 when upgraded, 200 when not).
 */
export type ResponseBody<R = unknown> =
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly __type?: R }
  | { readonly kind: 'text' }
  | { readonly kind: 'json-stream'; readonly __type?: R }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'hijack' };

/** One row of the endpoint table: the only place where a route, its parameters and its statuses are written. */
export interface Endpoint<
  Q extends QueryShape = QueryShape,
  B extends RequestBody = RequestBody,
  R extends ResponseBody = ResponseBody,
> {
  readonly method: Method;
  /** Without the version prefix. `{id}` is one segment, `{name...}` may contain slashes. */
  readonly path: string;
  readonly query: Q;
  readonly body: B;
  readonly response: R;
  /** Every status that is not a failure; 304 is a result. The first one is what success answers. */
  readonly success: readonly number[];
  /** Present when the request changes something: then the ledger keeps it. */
  readonly operation?: OperationVerb;
  /** Fairlead's own endpoints have no version prefix. */
  readonly unversioned?: true;
}
