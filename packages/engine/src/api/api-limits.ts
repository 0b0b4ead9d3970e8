import { JSON_BODY_BYTES_MAX } from '@fairlead/protocol';
import type { BodyLimits } from './decode.ts';

/** Limits on what clients may do to the API. */
export interface ApiLimits extends BodyLimits {
  /** Milliseconds from a connection's beginning, or a later request's first byte, to the end of the request's head. */
  readonly headMs: number;
  /** Bytes of a request's head. */
  readonly headBytes: number;
  /** Milliseconds that an answered request may still send its body: closing earlier resets the connection under the answer. */
  readonly unreadBodyMs: number;
  readonly connections: number;
  /** Requests of one connection that may be under way or wait. */
  readonly pipelined: number;
}

/** Docker has few limits; these are ours, far beyond what its clients do. */
export const API_LIMITS: ApiLimits = {
  bodyBytes: JSON_BODY_BYTES_MAX,
  bodyMs: 60_000,
  headMs: 60_000,
  // Go's default is 1 MB; the longest heads are filters and registry credentials, of some KB.
  headBytes: 128 * 1024,
  unreadBodyMs: 2_000,
  connections: 10_000,
  pipelined: 64,
};
