import { type ErrorKind, isEngineError } from '@fairlead/protocol';
import type { FailureCode, FleetFailure } from '@fairlead/protocol/fleet';
import { EngineOverdueError, EngineUnreachableError, RequestFailedError } from '@fairlead/client';
import { wordsOf } from '../../lib/log.ts';

/** Messages come from engines: what is longer is cut. */
const MESSAGE_CHARACTERS_MAX = 4_096;

const CODES: Readonly<Record<ErrorKind, FailureCode>> = {
  'invalid-argument': 'INVALID',
  unauthorized: 'ENGINE_ERROR',
  forbidden: 'ENGINE_ERROR',
  'not-found': 'NOT_FOUND',
  conflict: 'CONFLICT',
  'not-modified': 'ENGINE_ERROR',
  'too-large': 'INVALID',
  'not-implemented': 'NOT_IMPLEMENTED',
  unavailable: 'ENGINE_ERROR',
  internal: 'ENGINE_ERROR',
};

/** An error of the client in the words of the failure matrix. */
export function failureOf(error: unknown): FleetFailure {
  if (error instanceof EngineUnreachableError) {
    const { errno, address } = error;
    return { ...failure('ENGINE_UNREACHABLE', error.message), kind: error.kind, errno, address };
  }
  if (error instanceof EngineOverdueError) return { ...failure('ENGINE_OVERDUE', error.message), kind: error.kind };
  if (!isEngineError(error)) return failure('ENGINE_ERROR', wordsOf(error));
  return { ...failure(CODES[error.kind], error.message), kind: error.kind };
}

/** True when the engine has answered: then what it said is the end. Everything else leaves open what it did. */
export function isAnswer(error: unknown): boolean {
  return error instanceof RequestFailedError || (isEngineError(error) && error.kind === 'invalid-argument');
}

/** A failure in our own words. */
export function failure(code: FailureCode, message: string): FleetFailure {
  return { code, message: message.slice(0, MESSAGE_CHARACTERS_MAX) };
}
