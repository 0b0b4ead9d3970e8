import { EngineError, type ErrorKind, type HealthLogEntry } from '@fairlead/protocol';
import type { OperationResult } from './deadlines/operation-result.ts';

/** Facts every failed call carries besides its kind and message. */
export interface CallFailure {
  /** What was asked, in words: `stop web`, `GET /containers/json`. */
  readonly operation: string;
  readonly cause?: unknown;
}

/** The engine answered, and the answer is a failure. The message is the engine's own. */
export class RequestFailedError extends EngineError {
  readonly operation: string;
  readonly status: number;

  constructor(kind: ErrorKind, message: string, failure: CallFailure & { readonly status: number }) {
    super(kind, message, { cause: failure.cause, details: { operation: failure.operation, status: failure.status } });
    this.operation = failure.operation;
    this.status = failure.status;
  }
}

/** There is no such container, image, exec, … */
export class NotFoundError extends RequestFailedError {}

/** It is there, and its state or a name in use forbids what was asked. */
export class ConflictError extends RequestFailedError {}

/** The error for an answer that is a failure; of a class of its own for the kinds that programs ask about most. */
export function requestFailed(
  kind: ErrorKind,
  message: string,
  failure: CallFailure & { readonly status: number },
): RequestFailedError {
  if (kind === 'not-found') return new NotFoundError(kind, message, failure);
  if (kind === 'conflict') return new ConflictError(kind, message, failure);
  return new RequestFailedError(kind, message, failure);
}

/** connect(2) failed, so nothing was asked. The only error that says "Cannot connect". */
export class EngineUnreachableError extends EngineError {
  /** `ENOENT`, `ECONNREFUSED`, `ENOTSOCK`, `EACCES`, …; the operating system's name for the failure. */
  readonly errno: string;
  readonly address: string;

  constructor(message: string, at: { readonly errno: string; readonly address: string; readonly cause?: unknown }) {
    super('unavailable', message, { cause: at.cause, details: { errno: at.errno, address: at.address } });
    this.errno = at.errno;
    this.address = at.address;
  }
}

/** The connection was made and ended before the answer was whole. What was asked may have been done. */
export class ConnectionLostError extends EngineError {
  readonly operation: string;

  constructor(message: string, failure: CallFailure) {
    super('unavailable', message, { cause: failure.cause, details: { operation: failure.operation } });
    this.operation = failure.operation;
  }
}

/** The engine answered with something that is not the Docker API, or breaks its framing. */
export class ProtocolError extends EngineError {
  readonly operation: string;

  constructor(message: string, failure: CallFailure) {
    super('internal', message, { cause: failure.cause, details: { operation: failure.operation } });
    this.operation = failure.operation;
  }
}

/** A deadline that leaves no room for what was asked. Thrown before anything is sent; the message has the arithmetic. */
export class DeadlineTooShortError extends EngineError {
  readonly operation: string;

  constructor(message: string, operation: string) {
    super('invalid-argument', message, { details: { operation } });
    this.operation = operation;
  }
}

/** How to go on with an operation whose caller stopped listening. */
export interface PendingOperation {
  /** At most how long it can still take, in ms; Infinity when it has no bound. */
  readonly endsWithinMs: number;
  /**
   * Takes up the waiting again, until the operation has ended, and tells how. From Fairlead's ledger where there is one.
   *
   * @throws EngineOverdueError when it has not ended within its bound, EngineUnreachableError, what the operation failed of.
   */
  wait(signal?: AbortSignal): Promise<OperationResult>;
}

/** The caller's patience ended first. The operation goes on in the engine: nothing is rolled back. */
export class PendingError extends EngineError {
  readonly operation: PendingOperation;
  readonly waitedMs: number;

  constructor(message: string, pending: { readonly operation: PendingOperation; readonly waitedMs: number }) {
    super('unavailable', message, { details: { waitedMs: pending.waitedMs } });
    this.operation = pending.operation;
    this.waitedMs = pending.waitedMs;
  }
}

/** The engine is reachable and has not done within its own bound what it promised to. */
export class EngineOverdueError extends EngineError {
  readonly operation: string;
  readonly boundMs: number;

  constructor(message: string, overdue: CallFailure & { readonly boundMs: number }) {
    super('unavailable', message, {
      cause: overdue.cause,
      details: { operation: overdue.operation, boundMs: overdue.boundMs },
    });
    this.operation = overdue.operation;
    this.boundMs = overdue.boundMs;
  }
}

/** A session's stream ended and its exit code cannot be known. Never reported as 0. */
export class SessionLostError extends EngineError {
  readonly operation: string;

  constructor(message: string, failure: CallFailure) {
    super('unavailable', message, { cause: failure.cause, details: { operation: failure.operation } });
    this.operation = failure.operation;
  }
}

/** The engine told a failure after its 200: in the stream of a pull, push, load or build. The message is the engine's own. */
export class TransferFailedError extends EngineError {
  readonly operation: string;
  /** With which code a build's step ended, or a registry's status; undefined when the engine does not say. */
  readonly code: number | undefined;

  constructor(message: string, operation: string, code: number | undefined) {
    super('internal', message, { details: { operation, code } });
    this.operation = operation;
    this.code = code;
  }
}

/** A container is not what it was waited for to be: it no longer can, or has not in the time it was given. */
export class NotReadyError extends EngineError {
  readonly operation: string;
  /** The last run of its health check. */
  readonly lastProbe: HealthLogEntry | undefined;

  constructor(message: string, missed: CallFailure & { readonly lastProbe?: HealthLogEntry | undefined }) {
    super('unavailable', message, { cause: missed.cause, details: { operation: missed.operation } });
    this.operation = missed.operation;
    this.lastProbe = missed.lastProbe;
  }
}

/** The one sentence for a connection that broke after it was made. */
export function connectionLost(operation: string, cause: unknown): ConnectionLostError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionLostError(`The connection to the engine ended before it answered (${operation}): ${why}`, {
    operation,
    cause,
  });
}
