import { isEngineError } from '@fairlead/protocol';
import type { Asking } from '../call.ts';
import { connectionLost, ProtocolError } from '../errors.ts';

/**
 * Why an answer's stream failed: the caller left, the connection broke or ended in the middle, or it holds what it should not.
 *
 * @returns the signal's reason, ConnectionLostError or ProtocolError: to be thrown.
 */
export function streamFailure({ operation, signal }: Asking, cause: unknown): unknown {
  if (signal.aborted) return signal.reason;
  if (!isEngineError(cause) || cause.kind === 'unavailable') return connectionLost(operation, cause);
  return new ProtocolError(`${operation}: ${cause.message}`, { operation, cause });
}
