import type * as v from 'valibot';
import type { BodySchemas } from './body-schemas.ts';
import type { QueryShape, QueryValues } from './codec/query.ts';
import { EngineError } from './errors.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** The verbs that the operation ledger keeps. */
export type OperationVerb =
  | 'create'
  | 'start'
  | 'stop'
  | 'restart'
  | 'kill'
  | 'pause'
  | 'unpause'
  | 'rename'
  | 'remove'
  | 'update'
  | 'container-prune'
  | 'exec-create'
  | 'exec-start'
  | 'container-put-files'
  | 'container-commit'
  | 'image-load'
  | 'image-import'
  | 'image-tag'
  | 'image-remove'
  | 'image-prune'
  | 'volume-create'
  | 'volume-remove'
  | 'volume-prune';

/** A body is read and thrown away. */
export interface NoBody {
  readonly kind: 'none';
}

/** One JSON document, matched by the schema of that name after Go's JSON manners. `optional` accepts an empty body as `{}`. */
export interface JsonBody<S extends v.GenericSchema = v.GenericSchema> {
  readonly kind: 'json';
  /** In `BODY_SCHEMAS`. */
  readonly schema: keyof BodySchemas;
  readonly optional: boolean;
  readonly __type?: S;
}

/** A stream (tar), handed on as it arrives. */
export interface BytesBody {
  readonly kind: 'bytes';
}

/** What a request carries in its body. */
export type RequestBody<S extends v.GenericSchema = v.GenericSchema> = NoBody | JsonBody<S> | BytesBody;

/** No body. */
export interface EmptyResponse {
  readonly kind: 'empty';
}

/** One JSON document. */
export interface JsonResponse<R = unknown> {
  readonly kind: 'json';
  readonly __type?: R;
}

/** Plain text. */
export interface TextResponse {
  readonly kind: 'text';
}

/** One JSON document per line, sent as it happens, head flushed at once. */
export interface JsonStreamResponse<R = unknown> {
  readonly kind: 'json-stream';
  readonly __type?: R;
}

/** Raw bytes or stdcopy frames, chunked, head flushed at once. */
export interface BytesResponse {
  readonly kind: 'bytes';
}

/** The connection becomes a two-way byte stream (101 when upgraded, 200 when not). */
export interface HijackResponse {
  readonly kind: 'hijack';
}

/** Messages both ways after a WebSocket handshake (101). */
export interface WebSocketResponse {
  readonly kind: 'web-socket';
}

/** What a successful answer looks like. */
export type ResponseBody<R = unknown> =
  | EmptyResponse
  | JsonResponse<R>
  | TextResponse
  | JsonStreamResponse<R>
  | BytesResponse
  | HijackResponse
  | WebSocketResponse;

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
  /** For clients of other engines: Fairlead's answers that it is not implemented. To serve it is to take this away. */
  readonly notServed?: true;
}

/** The decoded parameters of an endpoint; every one is optional. */
export type QueryOf<E extends Endpoint> = QueryValues<E['query']>;

/** The decoded JSON body of an endpoint: what a handler gets. `undefined` when it has none. */
export type BodyOf<E extends Endpoint> = E['body'] extends JsonBody<infer S> ? v.InferOutput<S> : undefined;

/** The JSON body a client may send: everything optional that the engine fills in. */
export type BodyInputOf<E extends Endpoint> = E['body'] extends JsonBody<infer S> ? v.InferInput<S> : undefined;

/** The document an endpoint answers with, or each document of its stream; `undefined` when it is not JSON. */
export type ResponseOf<E extends Endpoint> =
  E['response'] extends JsonResponse<infer R> ? R : E['response'] extends JsonStreamResponse<infer R> ? R : undefined;

/** The value of `NoBody`. */
export const noBody: NoBody = { kind: 'none' };
/** The value of `BytesBody`. */
export const bytesBody: BytesBody = { kind: 'bytes' };

/** A JSON body that must be there, unless `optional`. @__NO_SIDE_EFFECTS__ */
export function jsonBody<N extends keyof BodySchemas>(
  schema: N,
  options: { readonly optional: boolean } = { optional: false },
): JsonBody<BodySchemas[N]> {
  return { kind: 'json', schema, optional: options.optional };
}

/**
 * Fills a path's `{name}` and `{name...}` with percent-encoded values; slashes stay only in the latter.
 *
 * @throws EngineError 'invalid-argument' for an empty value, `.` and `..`: it would be another path, however it is encoded.
 */
export function fillPath(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{([a-z]+)(\.\.\.)?\}/gi, (_, name: string, rest: string | undefined) => {
    const value = params[name] ?? '';
    const parts = rest === undefined ? [value] : value.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..')) {
      throw new EngineError('invalid-argument', `invalid name or ID supplied: ${JSON.stringify(value)}`);
    }
    return parts.map(encodeURIComponent).join('/');
  });
}
