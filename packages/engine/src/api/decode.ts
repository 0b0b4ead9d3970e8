import {
  BODY_SCHEMAS,
  BUDGET_HEADER,
  decodeBody,
  decodeQuery,
  EngineError,
  parseBudget,
  type ApiVersion,
  type BodyOf,
  type Endpoint,
} from '@fairlead/protocol';
import type { OperationHandle } from '../core/operation/operation-handle.ts';
import type { Call, Caller } from './call.ts';

/** Header names in lower case; repeated ones joined or listed, as node:http gives them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request that was routed, not yet decoded. */
export interface RequestHead {
  readonly params: ReadonlyMap<string, string>;
  readonly searchParams: URLSearchParams;
  readonly headers: RequestHeaders;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly bodyLength: number | 'chunked';
  readonly apiVersion: ApiVersion;
  readonly caller: Caller;
  readonly hangup: AbortSignal;
  readonly limits: BodyLimits;
  setHeader(name: string, value: string): void;
  /** Begins the operation, once there is something that can be done. */
  beginOperation(decoded: { readonly budgetMs: number | undefined }): OperationHandle | undefined;
}

/** Limits of bodies that are held in memory. */
export interface BodyLimits {
  /** Bytes of a JSON or form body. */
  readonly bodyBytes: number;
  /** Milliseconds until such a body must have arrived. */
  readonly bodyMs: number;
}

/**
 * Decodes query, headers and body by the endpoint's row.
 *
 * @throws EngineError 'invalid-argument' in Docker's words, 'too-large' beyond the limits.
 */
export async function decodeCall<E extends Endpoint>(
  endpoint: E,
  head: RequestHead,
): Promise<Omit<Call<E>, 'operation'>> {
  const searchParams = await mergeForm(endpoint, head);
  const query = decodeQuery<E['query']>(endpoint.query, searchParams, head.apiVersion);
  const body = decodeBodyOf(endpoint, await jsonText(endpoint, head));
  return {
    query,
    body,
    param: (name) => {
      const value = head.params.get(name);
      if (value === undefined)
        throw new EngineError('internal', `Cannot read {${name}} of ${endpoint.path}: there is none`);
      return value;
    },
    header: (name) => firstHeader(head.headers, name),
    bytes: endpoint.body.kind === 'bytes' ? head.bytes : NO_BYTES,
    bodyLength: head.bodyLength,
    apiVersion: head.apiVersion,
    caller: head.caller,
    budgetMs: parseBudget(firstHeader(head.headers, BUDGET_HEADER)),
    hangup: head.hangup,
    setHeader: (name, value) => head.setHeader(name, value),
  };
}

/** The first value of a header, whatever its name's case. */
export function firstHeader(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value : value?.[0];
}

const NO_BYTES: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {
    // A request without a body.
  },
};

const MEDIA_TYPE = /^\s*([\w!#$%&'*+.^`|~-]+(?:\/[\w!#$%&'*+.^`|~-]+)?)\s*(?:;.*)?$/;
const FORM = 'application/x-www-form-urlencoded';

/** Query parameters may also come as a form in the body, and win then. Source: Go's http.Request.ParseForm. */
async function mergeForm(endpoint: Endpoint, head: RequestHead): Promise<URLSearchParams> {
  const isForm = mediaType(firstHeader(head.headers, 'content-type') ?? '') === FORM;
  if (endpoint.body.kind !== 'none' || !isForm || head.bodyLength === 0) return head.searchParams;
  const form = new URLSearchParams(await readText(head));
  return new URLSearchParams([...form, ...head.searchParams]);
}

async function jsonText(endpoint: Endpoint, head: RequestHead): Promise<string> {
  if (endpoint.body.kind !== 'json') return '';
  const contentType = firstHeader(head.headers, 'content-type') ?? '';
  if (contentType !== '' || head.bodyLength !== 0) refuseUnlessJson(contentType);
  const text = await readText(head);
  if (text.trim() === '' && head.bodyLength !== 0) {
    throw new EngineError('invalid-argument', 'invalid JSON: got EOF while reading request body');
  }
  return text;
}

function decodeBodyOf<E extends Endpoint>(endpoint: E, text: string): BodyOf<E>;
// One signature for callers, one for us: a conditional type cannot be computed from a value.
function decodeBodyOf(endpoint: Endpoint, text: string): unknown {
  return endpoint.body.kind === 'json' ? decodeBody(BODY_SCHEMAS[endpoint.body.schema], text) : undefined;
}

/** Source: moby v28, daemon/server/httputils, CheckForJSON and matchesContentType. */
function refuseUnlessJson(contentType: string): void {
  if (contentType.trim() === '') {
    throw new EngineError('invalid-argument', `malformed Content-Type header (${contentType}): mime: no media type`);
  }
  const type = mediaType(contentType);
  if (type === undefined) {
    throw new EngineError(
      'invalid-argument',
      `malformed Content-Type header (${contentType}): mime: invalid media type`,
    );
  }
  if (type !== 'application/json') {
    throw new EngineError(
      'invalid-argument',
      `unsupported Content-Type header (${contentType}): must be 'application/json'`,
    );
  }
}

function mediaType(header: string): string | undefined {
  return MEDIA_TYPE.exec(header)?.[1]?.toLowerCase();
}

async function readText(head: RequestHead): Promise<string> {
  const { bodyBytes, bodyMs } = head.limits;
  if (head.bodyLength === 0) return '';
  if (head.bodyLength !== 'chunked' && head.bodyLength > bodyBytes) throw tooLarge(bodyBytes);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new EngineError('invalid-argument', `request body did not arrive within ${bodyMs / 1000} s`));
  }, bodyMs);
  try {
    return await Promise.race([collect(head.bytes, bodyBytes), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function collect(bytes: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.byteLength;
    if (length > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString('utf8');
}

function tooLarge(limitBytes: number): EngineError {
  return new EngineError('too-large', `request body is larger than ${limitBytes} bytes`);
}
