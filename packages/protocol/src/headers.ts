import type { StopOutcome } from './models/operation.ts';

/** How many milliseconds the caller will still wait. Relative: clocks of different hosts may differ by a day. */
export const BUDGET_HEADER = 'Fairlead-Budget';
/** A sentence for the person, for example that the grace asked for cannot fit into the budget. May be repeated. */
export const WARNING_HEADER = 'Fairlead-Warning';
/** On answers to stop and restart: how it ended. See `encodeOutcome`. */
export const OUTCOME_HEADER = 'Fairlead-Outcome';
/**
 * Id of the ledger's operation, on answers to requests that change something. On a request it is the id that the caller wants it to
 * have, so that who loses the connection knows what to ask for. See `parseOperationId`.
 */
export const OPERATION_HEADER = 'Fairlead-Operation';

/** Longer budgets are treated as this one: a year. */
export const BUDGET_MS_MAX: number = 365 * 24 * 3600 * 1000;

/** Reads `Fairlead-Budget`; undefined when it is absent or not a whole number, because a hint must not break a request. */
export function parseBudget(value: string | undefined): number | undefined {
  if (value === undefined || !/^[0-9]{1,15}$/.test(value)) return undefined;
  return Math.min(Number(value), BUDGET_MS_MAX);
}

/** Writes `Fairlead-Budget`; undefined, and so no header, for a wait without end. */
export function encodeBudget(leftMs: number): string | undefined {
  if (!Number.isFinite(leftMs)) return undefined;
  return Math.max(0, Math.min(Math.floor(leftMs), BUDGET_MS_MAX)).toString();
}

/** Reads the id a caller wants; undefined when there is none or it has another form: a hint must not break a request. */
export function parseOperationId(value: string | undefined): string | undefined {
  return value !== undefined && /^[0-9a-f]{16,64}$/.test(value) ? value : undefined;
}

/** How a stop ended, as the engine saw it. */
export interface StopEvidence {
  readonly outcome: StopOutcome;
  /** Undefined when the container never ran. */
  readonly exitCode: number | undefined;
  readonly tookMs: number;
}

/** `killed; exit-code=137; took-ms=2012` */
export function encodeOutcome(evidence: StopEvidence): string {
  const exitCode = evidence.exitCode === undefined ? '' : `; exit-code=${evidence.exitCode}`;
  return `${evidence.outcome}${exitCode}; took-ms=${Math.round(evidence.tookMs)}`;
}

/** Undefined when the header is absent or unreadable: then the client asks inspect instead. */
export function parseOutcome(value: string | undefined): StopEvidence | undefined {
  const match = OUTCOME.exec(value ?? '');
  if (match === null) return undefined;
  const outcome = match[1];
  if (outcome !== 'exited' && outcome !== 'killed' && outcome !== 'already-stopped') return undefined;
  return { outcome, exitCode: match[2] === undefined ? undefined : Number(match[2]), tookMs: Number(match[3]) };
}

const OUTCOME = /^([a-z-]+)(?:; exit-code=([0-9]{1,3}))?; took-ms=([0-9]{1,15})$/;
