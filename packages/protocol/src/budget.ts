import { EngineError } from './errors.ts';
import type { OperationVerb } from './endpoint.ts';

/** The least that an inner wait is shorter than the outer one, per network hop. Source: deadlines.md, rule 2. */
export const HOP_RESERVE_MS = 1000;

/** And this share of the outer wait on top. */
export const HOP_RESERVE_SHARE = 0.02;

/** The longest time from SIGKILL to an answer of dockerd: 10 s, then 2 s, then 2 s. Source: engine-api 3.2. */
export const KILL_CONFIRM_DOCKER_MS = 14_000;

/** What Docker gives a container that says nothing about its grace. Source: engine-api 3.1. */
export const STOP_GRACE_DEFAULT_MS = 10_000;

/**
 * How long somebody will wait, and what of it is left: the one type every timeout is computed from.
 *
 * Times are milliseconds of a monotonic clock that the caller reads; Infinity is without end. Pure: nothing runs here.
 */
export class Budget {
  /** On the caller's monotonic clock; Infinity: none. */
  readonly deadlineMs: number;

  private constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }

  /** @throws EngineError 'invalid-argument' when `totalMs` is not more than 0. */
  static of(totalMs: number, nowMs: number): Budget {
    if (!(totalMs > 0)) throw new EngineError('invalid-argument', `a budget of ${totalMs} ms is none`);
    return new Budget(nowMs + totalMs);
  }

  static endless(): Budget {
    return new Budget(Infinity);
  }

  /** Whichever ends first. */
  shorter(other: Budget): Budget {
    return other.deadlineMs < this.deadlineMs ? other : this;
  }

  /** Never negative. */
  leftMs(nowMs: number): number {
    return Math.max(0, this.deadlineMs - nowMs);
  }

  /**
   * A budget for an inner wait, strictly shorter than this one. Without `reserveMs` the reserve is that of one hop.
   *
   * @throws EngineError 'invalid-argument' when the reserve is not more than 0, or when nothing is left: equal is an error.
   */
  child(options: { readonly nowMs: number; readonly reserveMs?: number }): Budget {
    const leftMs = this.leftMs(options.nowMs);
    const reserveMs = options.reserveMs ?? hopReserveMs(leftMs);
    if (leftMs === Infinity) return this;
    if (!(reserveMs > 0) || leftMs - reserveMs <= 0) {
      throw new EngineError(
        'invalid-argument',
        `no time is left for an inner wait: ${Math.round(leftMs)} ms are left and ${Math.round(reserveMs)} ms are kept in reserve`,
        { details: { leftMs, reserveMs } },
      );
    }
    return new Budget(this.deadlineMs - reserveMs);
  }
}

/** What one hop takes off a wait of `outerMs`: 1 s and 2 %. Infinity stays without end, so it takes nothing. */
export function hopReserveMs(outerMs: number): number {
  return outerMs === Infinity ? 0 : HOP_RESERVE_MS + outerMs * HOP_RESERVE_SHARE;
}

/** The shortest outer wait that still leaves `innerMs` after the reserve of `hops` hops. */
export function waitForBoundMs(innerMs: number, hops = 1): number {
  let outerMs = innerMs;
  for (let hop = 0; hop < hops; hop += 1) outerMs = (outerMs + HOP_RESERVE_MS) / (1 - HOP_RESERVE_SHARE);
  return outerMs === Infinity ? Infinity : Math.ceil(outerMs);
}

/** How long the parts of a verb may take. */
export interface Allowances {
  /** Stop and restart only; Infinity: without end. */
  readonly graceMs: number;
  /** From SIGKILL to the certainty that the process is gone. */
  readonly killConfirmMs: number;
  readonly startMs: number;
  readonly createMs: number;
  /** Unmounting and deleting the writable layer. */
  readonly removeMs: number;
}

/** For an engine that does not say its own. Start, create and remove: generous, they have no bound in Docker. */
export const DOCKER_ALLOWANCES: Allowances = {
  graceMs: STOP_GRACE_DEFAULT_MS,
  killConfirmMs: KILL_CONFIRM_DOCKER_MS,
  startMs: 120_000,
  createMs: 60_000,
  removeMs: 60_000,
};

/**
 * The latest moment after the request at which the engine owes an answer; Infinity when it owes none.
 *
 * Source: deadlines.md: stop `G+K`, restart `G+K+S`, kill `K`, start `S`, create `C`, remove `K+R`.
 */
export function boundMs(verb: OperationVerb, allowances: Allowances): number {
  switch (verb) {
    case 'stop':
      return allowances.graceMs + allowances.killConfirmMs;
    case 'restart':
      return allowances.graceMs + allowances.killConfirmMs + allowances.startMs;
    case 'kill':
      return allowances.killConfirmMs;
    case 'start':
    case 'exec-start':
      return allowances.startMs;
    case 'create':
    case 'exec-create':
    case 'pause':
    case 'unpause':
    case 'rename':
    case 'update':
    case 'image-tag':
    case 'volume-create':
      return allowances.createMs;
    case 'remove':
      return allowances.killConfirmMs + allowances.removeMs;
    case 'container-put-files':
    case 'container-commit':
    case 'image-load':
    case 'image-import':
    case 'image-remove':
    case 'image-prune':
    case 'container-prune':
    case 'volume-remove':
    case 'volume-prune':
      return Infinity;
    default:
      return verb satisfies never;
  }
}
