import { isEngineError, STATUS_BY_KIND } from '@fairlead/protocol';
import { JSON_TYPE, TEXT_TYPE } from './engine-headers.ts';
import { beginAnswer, type Answer, type ResponseHeaders } from './exchange.ts';
import { Hangup } from './hangup.ts';

/** A refusal that is about HTTP and not about the engine: no such page, no such version. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly format: 'json' | 'plain';

  constructor(status: number, message: string, format: 'json' | 'plain' = 'json') {
    super(message);
    this.status = status;
    this.format = format;
  }
}

/** What a failed request is answered with. */
export interface Failure {
  readonly status: number;
  readonly message: string;
  readonly format: 'json' | 'plain';
  /** True when the engine or its host is at fault, not the request. */
  readonly internal: boolean;
}

/** Causes further down than this are not looked at. */
const CAUSES_MAX = 16;

/**
 * Translates whatever a handler threw.
 *
 * The first EngineError in the chain of causes gives the status, the outermost error the words; without one it is 500, as in
 * Docker. Source: engine-api 1.6.
 */
export function failureOf(error: unknown): Failure {
  const { status, internal } = classify(error);
  const message = error instanceof Error ? error.message : String(error);
  const format = error instanceof HttpRefusal ? error.format : 'json';
  return { status, internal, format, message: message === '' ? 'internal error' : message };
}

/** Docker's error document, with its line end. */
export function failureDocument(message: string): string {
  return `${JSON.stringify({ message })}\n`;
}

/** Writes the whole refusal. The body of an answer to HEAD is left out by node:http, its length is not. */
export function sendFailure(answer: Answer, failure: Failure, headers: ResponseHeaders): void {
  if (failure.status === 304) {
    beginAnswer(answer, failure.status, headers);
    answer.end();
    return;
  }
  const isPlain = failure.format === 'plain';
  const body = isPlain ? `${failure.message}\n` : failureDocument(failure.message);
  beginAnswer(answer, failure.status, {
    ...headers,
    'Content-Type': isPlain ? TEXT_TYPE : JSON_TYPE,
    ...(isPlain ? { 'X-Content-Type-Options': 'nosniff' } : {}),
    'Content-Length': Buffer.byteLength(body),
  });
  answer.end(body);
}

function classify(error: unknown): Pick<Failure, 'status' | 'internal'> {
  let cause = error;
  for (let depth = 0; depth < CAUSES_MAX && cause !== undefined; depth += 1) {
    if (isEngineError(cause)) return { status: STATUS_BY_KIND[cause.kind], internal: cause.kind === 'internal' };
    if (cause instanceof HttpRefusal) return { status: cause.status, internal: false };
    if (cause instanceof Hangup) return { status: cause.by === 'draining' ? 503 : 500, internal: false };
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return { status: 500, internal: true };
}
