import type { StartFailure } from './state.ts';

/** Docker's code for a start that failed for any other reason than its command. Source: engine-api 3.7. */
const EXIT_CODE_OTHER = 128;

/** What inspect shows of a start that failed. */
export function startFailureOf(cause: unknown): StartFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  return { exitCode: exitCodeOf(cause), message };
}

function exitCodeOf(cause: unknown): number {
  if (typeof cause !== 'object' || cause === null || !('details' in cause)) return EXIT_CODE_OTHER;
  const { details } = cause;
  if (typeof details !== 'object' || details === null || !('exitCode' in details)) return EXIT_CODE_OTHER;
  return typeof details.exitCode === 'number' ? details.exitCode : EXIT_CODE_OTHER;
}
