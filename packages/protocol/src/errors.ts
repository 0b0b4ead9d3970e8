/** The closed set of expected failures. Everything the engine refuses is one of these. */
export type ErrorKind =
  | 'invalid-argument'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'not-modified'
  | 'too-large'
  | 'not-implemented'
  | 'unavailable'
  | 'internal';

/** One table from kind to HTTP status. Source: engine-api 1.6; 413 is ours, Docker has no body limit. */
export const STATUS_BY_KIND: Readonly<Record<ErrorKind, number>> = {
  'invalid-argument': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-modified': 304,
  'too-large': 413,
  'not-implemented': 501,
  unavailable: 503,
  internal: 500,
};

export interface EngineErrorOptions {
  readonly cause?: unknown;
  /** Facts for the log line; never sent to the caller. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An expected failure. The message uses Docker's words, because people and scripts know them. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: ErrorKind;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(kind: ErrorKind, message: string, options: EngineErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.kind = kind;
    this.details = options.details ?? {};
  }
}

/** Recognises an EngineError, also one from another copy of this module. */
export function isEngineError(error: unknown): error is EngineError {
  return error instanceof EngineError || (error instanceof Error && error.name === 'EngineError' && 'kind' in error);
}
