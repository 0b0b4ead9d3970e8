import { waitForBoundMs } from '@fairlead/protocol';

/** What a person is told whose patience ended first. */
export interface PendingTimes {
  readonly waitedMs: number;
  /** From the asking; Infinity: none. */
  readonly boundMs: number;
}

/**
 * The stop of `ref` goes on, and how to go on with it. `killConfirmMs` of the bound is not grace.
 *
 * Source: deadlines.md, "The error a person sees".
 */
export function stopPendingText(ref: string, times: PendingTimes & { readonly killConfirmMs: number }): string {
  const { waitedMs, boundMs, killConfirmMs } = times;
  const isBounded = boundMs !== Infinity;
  const grace = isBounded
    ? `up to ${seconds(boundMs - killConfirmMs)} to exit before killing it`
    : 'as much time to exit as it needs';
  return [
    `Gave up after ${seconds(waitedMs)}. The engine was asked to give "${ref}" ${grace}, so it could not have ` +
      `answered sooner. The stop goes on in the engine and ${endOf(times)}.`,
    `  wait for it:          fairlead wait ${ref}`,
    isBounded
      ? `  give it more time:    fairlead stop --within ${wholeSeconds(boundMs)}s ${ref}        (or drop your timeout: the default is long enough)`
      : `  or end it:            fairlead kill ${ref}`,
  ].join('\n');
}

/** The same for any other operation. */
export function pendingText(operation: string, times: PendingTimes): string {
  return [
    `Gave up after ${seconds(times.waitedMs)}. The engine may take up to ${seconds(times.boundMs)} for this (${operation}). ` +
      `It goes on in the engine and ${endOf(times)}.`,
    '  wait for it:          error.operation.wait()',
    `  give it more time:    ${wholeSeconds(times.boundMs)} s of patience, or none given: the default is long enough`,
  ].join('\n');
}

function endOf({ waitedMs, boundMs }: PendingTimes): string {
  return boundMs === Infinity ? 'has no end of its own' : `ends at the latest in ${seconds(boundMs - waitedMs)}`;
}

function wholeSeconds(boundMs: number): number {
  return Math.ceil(waitForBoundMs(boundMs) / 1000);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
