import { type Operation, OUTCOME_HEADER, parseOutcome, WARNING_HEADER } from '@fairlead/protocol';
import type { Answered } from '../call.ts';
import { RequestFailedError } from '../errors.ts';
import type { OperationResult } from './operation-result.ts';

/** What a look at the engine showed of an operation whose answer did not come. */
export type Look =
  | { readonly kind: 'done'; readonly result: OperationResult }
  | { readonly kind: 'failed'; readonly error: Error }
  /** In the ledger: it has begun for certain, and can be waited for. */
  | { readonly kind: 'under-way'; readonly inLedger: boolean; /** What was seen instead. */ readonly seen?: string };

/** 128 + SIGKILL. Without the engine's own word this is the best there is: a program may also exit with 137. */
const KILLED_EXIT_CODE = 137;

/** What an exit code tells of how a process ended. */
export function outcomeOf(exitCode: number | undefined): 'exited' | 'killed' {
  return exitCode === KILLED_EXIT_CODE ? 'killed' : 'exited';
}

/** What the answer's status and headers say. Only Fairlead says how a run ended. */
export function resultOf({ status, headers }: Answered<unknown>, tookMs: number): OperationResult {
  const told = parseOutcome(text(headers[OUTCOME_HEADER.toLowerCase()]));
  const warning = text(headers[WARNING_HEADER.toLowerCase()]);
  return {
    changed: status !== 304,
    outcome: told?.outcome,
    exitCode: told?.exitCode,
    tookMs,
    late: false,
    warnings: warning === undefined ? [] : [warning],
  };
}

/** What the ledger says; undefined when it cannot tell, because the engine ended in the middle. */
export function lookOf(operation: Operation): Look | undefined {
  const { Outcome, Verb, Target } = operation;
  if (Outcome === null) return { kind: 'under-way', inLedger: true };
  switch (Outcome.Result) {
    case 'interrupted':
      return undefined;
    case 'failed': {
      const failure = { operation: `${Verb} ${Target.Name}`, status: 500 };
      return { kind: 'failed', error: new RequestFailedError('internal', Outcome.Error ?? 'it failed', failure) };
    }
    case 'succeeded':
    case 'not-modified': {
      const { Detail: outcome, ExitCode: exitCode, TookMs: tookMs } = Outcome;
      const changed = Outcome.Result === 'succeeded';
      return { kind: 'done', result: { changed, outcome, exitCode, tookMs, late: true, warnings: [] } };
    }
    default:
      return Outcome.Result satisfies never;
  }
}

/** A header that came once; repeated ones Node has joined. */
function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(', ');
}
