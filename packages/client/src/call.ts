import {
  BUDGET_HEADER,
  encodeBudget,
  encodeQuery,
  type BodyInputOf,
  type Endpoint,
  type ErrorKind,
  fillPath,
  type QueryOf,
  type ResponseOf,
  STATUS_BY_KIND,
} from '@fairlead/protocol';
import { trustDocument } from './codec/json.ts';
import type { Readable } from 'node:stream';
import type { HttpHeaders, HttpRequest } from './transport/http-head.ts';
import { connectionLost, ProtocolError, requestFailed, type RequestFailedError } from './errors.ts';
import type { Negotiation } from './negotiate.ts';
import { saysGone } from './runtime-failure.ts';
import {
  ConnectionBroken,
  type HijackedAnswer,
  type HttpAnswer,
  type HttpConnections,
} from './transport/http-connections.ts';

/** An answer that is one document is read whole; larger ones are refused. The largest known, a list of 10,000 containers, is 20 MB. */
export const ANSWER_BYTES_MAX: number = 64 * 1024 * 1024;

/** A failure's message longer than this is cut. */
export const ERROR_BYTES_MAX: number = 64 * 1024;

export interface CallDeps {
  readonly connections: HttpConnections;
  readonly negotiation: Negotiation;
  readonly userAgent: string;
}

/** One request along a row of the endpoint table. */
export interface Call<E extends Endpoint> {
  /** What is asked, in words, for errors: `stop web`. */
  readonly operation: string;
  readonly signal: AbortSignal;
  /** Values for the path's `{name}`s. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: QueryOf<E>;
  readonly body?: BodyInputOf<E>;
  /** For endpoints whose body is a stream. */
  readonly bytes?: AsyncIterable<Uint8Array>;
  /** How long the caller will listen; told to the engine, which notes it. */
  readonly budgetMs?: number;
  /** Further headers; no secret ever goes into the path. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A successful answer, read whole. */
export interface Answered<T> {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: T;
}

/**
 * Asks and reads the whole answer. A status of the row's success set is a result, 304 included; no other is.
 *
 * @throws RequestFailedError, EngineUnreachableError, ConnectionLostError, ProtocolError; the signal's reason when aborted.
 */
export async function call<E extends Endpoint>(
  deps: CallDeps,
  row: E,
  asked: Call<E>,
): Promise<Answered<ResponseOf<E>>> {
  const answer = await send(deps, row, asked);
  const text = await readText(answer, asked, ANSWER_BYTES_MAX);
  const { status, headers } = answer;
  const document = row.response.kind === 'json' ? parseDocument(text, asked.operation) : undefined;
  return { status, headers, body: trustDocument<ResponseOf<E>>(document) };
}

/** Asks and hands on the body while it comes. Destroying the stream frees the connection. @throws as `call`. */
export async function callStream<E extends Endpoint>(deps: CallDeps, row: E, asked: Call<E>): Promise<HttpAnswer> {
  return await send(deps, row, asked);
}

/** Asks for the connection itself. @throws as `call`. */
export async function callHijack<E extends Endpoint>(deps: CallDeps, row: E, asked: Call<E>): Promise<HijackedAnswer> {
  const request = await requestFor(deps, row, asked);
  const answer = await transfer(() => deps.connections.hijack(request, asked.signal), asked);
  if ('output' in answer) return answer;
  if (row.success.includes(answer.status)) {
    answer.body.destroy();
    throw new ProtocolError(`unable to upgrade to tcp, received ${answer.status}`, { operation: asked.operation });
  }
  throw await failureFrom(answer, asked);
}

async function send<E extends Endpoint>(deps: CallDeps, row: E, asked: Call<E>): Promise<HttpAnswer> {
  const request = await requestFor(deps, row, asked);
  const answer = await transfer(
    () => deps.connections.send(request, asked.signal),
    asked,
    row.method === 'GET' || row.method === 'HEAD',
  );
  if (row.success.includes(answer.status)) return answer;
  throw await failureFrom(answer, asked);
}

async function requestFor<E extends Endpoint>(deps: CallDeps, row: E, asked: Call<E>): Promise<HttpRequest> {
  const { apiVersion } = await deps.negotiation.traits(asked.signal);
  const query = encodeQuery(row.query, asked.query ?? {}, apiVersion).toString();
  const path = fillPath(row.path, asked.params ?? {});
  const prefix = row.unversioned === true ? '' : `/v${apiVersion}`;
  const json = row.body.kind === 'json' ? JSON.stringify(asked.body ?? {}) : undefined;
  const budget = asked.budgetMs === undefined ? undefined : encodeBudget(asked.budgetMs);
  return {
    method: row.method,
    path: `${prefix}${path}${query === '' ? '' : `?${query}`}`,
    body: asked.bytes ?? json,
    headers: {
      Host: 'docker',
      'User-Agent': deps.userAgent,
      ...(json === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) }),
      ...(asked.bytes === undefined ? {} : { 'Content-Type': 'application/x-tar' }),
      ...(row.method === 'POST' && json === undefined && asked.bytes === undefined ? { 'Content-Length': 0 } : {}),
      ...(budget === undefined ? {} : { [BUDGET_HEADER]: budget }),
      ...asked.headers,
    },
  };
}

/** Only a GET whose idle connection had been closed by the engine is sent once more: nothing was read from it. */
async function transfer<T>(
  attempt: () => Promise<T>,
  asked: { readonly operation: string },
  repeatable: boolean = false,
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof ConnectionBroken)) throw error;
    if (repeatable && error.wasIdle) return await transfer(attempt, asked);
    throw connectionLost(asked.operation, error.cause);
  }
}

/** What an error needs to know of a request. */
export interface Asking {
  readonly operation: string;
  readonly signal: AbortSignal;
}

/** Reads a whole body as text. @throws ProtocolError when it is longer than the limit, ConnectionLostError. */
export async function readText(answer: HttpAnswer, asked: Asking, limitBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of byteChunks(answer.body)) {
      bytes += chunk.byteLength;
      if (bytes > limitBytes) throw new ProtocolError(`answer is longer than ${limitBytes} bytes`, asked);
      chunks.push(chunk);
    }
  } catch (cause) {
    asked.signal.throwIfAborted();
    throw cause instanceof ProtocolError ? cause : connectionLost(asked.operation, cause);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A stream's chunks with their type: Node's own iterator gives `any`. */
export function byteChunks(stream: Readable): AsyncIterable<Uint8Array> {
  return stream;
}

/** Reads an answer's JSON. @throws ProtocolError when it is none. */
export function parseDocument(text: string, operation: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(`the engine's answer is not JSON (${operation})`, { operation, cause });
  }
}

async function failureFrom(answer: HttpAnswer, asked: Asking): Promise<RequestFailedError> {
  const text = (await readText(answer, asked, ERROR_BYTES_MAX)).trim();
  const message = messageIn(text) ?? (text === '' ? `the engine answered ${answer.status}` : text);
  const kind = saysGone(answer.status, message) ? 'not-found' : kindOf(answer.status);
  return requestFailed(kind, message, { operation: asked.operation, status: answer.status });
}

function messageIn(text: string): string | undefined {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null || !('message' in document)) return undefined;
    return typeof document.message === 'string' ? document.message : undefined;
  } catch {
    // Attach and very old versions answer in plain text; then the text is the message.
    return undefined;
  }
}

/** The kinds in the order of their status; a status without one is a client's or an engine's fault by its hundred. */
const KINDS: readonly ErrorKind[] = [
  'invalid-argument',
  'unauthorized',
  'forbidden',
  'not-found',
  'conflict',
  'not-modified',
  'too-large',
  'not-implemented',
  'unavailable',
  'internal',
];

/** The kind of failure that a status means. */
export function kindOf(status: number): ErrorKind {
  return KINDS.find((kind) => STATUS_BY_KIND[kind] === status) ?? (status >= 500 ? 'internal' : 'invalid-argument');
}
