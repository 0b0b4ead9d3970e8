import { hopReserveMs, waitForBoundMs } from '@fairlead/protocol';
import { DeadlineTooShortError } from '../errors.ts';

/** What a caller may say about the time a stop has. */
export interface StopTimes {
  /** How long the process may take after the stop signal. Absent: the container's own. Infinity: never killed. */
  readonly graceMs?: number | undefined;
  /** How long the whole stop may take; the grace is derived from it, unless it is given as well. */
  readonly withinMs?: number | undefined;
}

/** What is to be planned. */
export interface Planned {
  /** `stop web`. */
  readonly operation: string;
  /** What the engine may take beside the grace: to confirm a kill, and, for a restart, to start. */
  readonly parts: readonly { readonly what: string; readonly ms: number }[];
}

/**
 * Works out the grace before anything is sent.
 *
 * @returns what is sent as `t`; undefined sends none, and the container's own counts.
 * @throws DeadlineTooShortError with the arithmetic and two ways out when the times do not fit into each other.
 */
export function planGrace(planned: Planned, times: StopTimes): number | undefined {
  const { graceMs, withinMs } = times;
  if (withinMs === undefined) return graceMs;
  const restMs = planned.parts.reduce((sum, { ms }) => sum + ms, 0);
  // Docker's grace is whole seconds; rounding down keeps the sum within the limit.
  const derivedMs = Math.floor(graceWithin(withinMs, restMs) / 1000) * 1000;
  if (graceMs === undefined && derivedMs >= 0) return derivedMs;
  const neededMs = waitForBoundMs((graceMs ?? 0) + restMs);
  if (graceMs !== undefined && neededMs <= withinMs) return graceMs;
  const sum = { graceMs: graceMs ?? 0, withinMs, restMs, neededMs };
  throw new DeadlineTooShortError(tooShort(planned, sum), planned.operation);
}

/** What is left of the total for the grace; negative when the total is too short for any. */
function graceWithin(withinMs: number, restMs: number): number {
  return withinMs - hopReserveMs(withinMs) - restMs;
}

interface Sum {
  readonly graceMs: number;
  readonly withinMs: number;
  readonly restMs: number;
  readonly neededMs: number;
}

function tooShort({ operation, parts }: Planned, sum: Sum): string {
  const fits = Math.floor(graceWithin(sum.withinMs, sum.restMs) / 1000);
  const summands = [`${seconds(sum.graceMs)} of grace`, ...parts.map(({ what, ms }) => `${seconds(ms)} for ${what}`)];
  return [
    `"${operation}" cannot be sure to end within ${seconds(sum.withinMs)}: ${summands.join(', ')} and ` +
      `${seconds(sum.neededMs - sum.graceMs - sum.restMs)} of reserve make ${seconds(sum.neededMs)}. Nothing was sent.`,
    `  give it more time:    at least ${seconds(Math.ceil(sum.neededMs / 1000) * 1000)}`,
    fits >= 0 ? `  or a shorter grace:   at most ${fits} s` : '  or kill it:           that needs no grace',
  ].join('\n');
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
