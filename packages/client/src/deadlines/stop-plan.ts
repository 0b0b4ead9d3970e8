import { hopReserveMs, waitForBoundMs } from '@fairlead/protocol';
import { DeadlineTooShortError } from '../errors.ts';

/** What a caller may say about the time a stop has. */
export interface StopTimes {
  /** How long the process may take after the stop signal. Absent: the container's own. Infinity: never killed. */
  readonly graceMs?: number | undefined;
  /** How long the whole stop may take; the grace is derived from it, unless it is given as well. */
  readonly withinMs?: number | undefined;
}

export interface StopPlan {
  /** What is sent as `t`; undefined sends none, and the container's own counts. */
  readonly graceMs: number | undefined;
}

/**
 * Works out the grace before anything is sent.
 *
 * @param killConfirmMs what the engine may take from SIGKILL to its answer.
 * @throws DeadlineTooShortError with the arithmetic when the times do not fit into each other.
 */
export function planStop(ref: string, times: StopTimes, killConfirmMs: number): StopPlan {
  const { graceMs, withinMs } = times;
  if (withinMs === undefined) return { graceMs };
  // Docker's grace is whole seconds; rounding down keeps the sum within the limit.
  const derivedMs = Math.floor(graceWithin(withinMs, killConfirmMs) / 1000) * 1000;
  if (graceMs === undefined && derivedMs >= 0) return { graceMs: derivedMs };
  const neededMs = waitForBoundMs((graceMs ?? 0) + killConfirmMs);
  if (graceMs !== undefined && neededMs <= withinMs) return { graceMs };
  throw new DeadlineTooShortError(
    tooShort(ref, { graceMs: graceMs ?? 0, withinMs, killConfirmMs, neededMs }),
    `stop ${ref}`,
  );
}

/** What is left of the total for the grace; negative when the total is too short for any. */
function graceWithin(withinMs: number, killConfirmMs: number): number {
  return withinMs - hopReserveMs(withinMs) - killConfirmMs;
}

interface Sum {
  readonly graceMs: number;
  readonly withinMs: number;
  readonly killConfirmMs: number;
  readonly neededMs: number;
}

function tooShort(ref: string, sum: Sum): string {
  const fits = Math.floor(graceWithin(sum.withinMs, sum.killConfirmMs) / 1000);
  return [
    `A stop of "${ref}" cannot be sure to end within ${seconds(sum.withinMs)}: ${seconds(sum.graceMs)} of grace, ` +
      `${seconds(sum.killConfirmMs)} for a kill to be confirmed and ` +
      `${seconds(sum.neededMs - sum.graceMs - sum.killConfirmMs)} of reserve make ${seconds(sum.neededMs)}. Nothing was sent.`,
    `  give it more time:    at least ${seconds(Math.ceil(sum.neededMs / 1000) * 1000)}`,
    fits >= 0 ? `  or a shorter grace:   at most ${fits} s` : '  or kill it:           that needs no grace',
  ].join('\n');
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
