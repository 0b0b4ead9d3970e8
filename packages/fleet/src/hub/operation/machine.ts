import {
  type AgentEvent,
  type ClaimAnswer,
  type FailureCode,
  FINAL_STATES,
  type FleetOutcome,
  type FleetPhase,
  type FleetState,
} from '@fairlead/protocol/fleet';

/** What the hub knows of an operation's way. Everything else about it never changes. */
export interface OperationLife {
  readonly state: FleetState;
  readonly phase: FleetPhase | null;
  readonly graceMs: number | null;
  readonly boundMs: number | null;
  readonly phases: readonly FleetPhase[];
  /** The agent's events up to this one are stored. */
  readonly agentSeq: number;
  /** Its message in the stream of queued commands, until it is deleted. */
  readonly sequence: number | null;
  readonly claimed: boolean;
  /** The agent said that the engine did not keep its bound. */
  readonly overdue: boolean;
  readonly outcome: FleetOutcome | null;
}

/** What can happen to an operation. */
export type LifeEvent =
  /** JetStream has it. */
  | { readonly kind: 'queued'; readonly sequence: number }
  /** It was not, and will not be, delivered. */
  | { readonly kind: 'undeliverable'; readonly code: FailureCode; readonly message: string }
  | { readonly kind: 'expire' }
  | { readonly kind: 'claim' }
  | { readonly kind: 'cancel' }
  /** The agent proved that a claimed operation was never started. */
  | { readonly kind: 'cancelled-by-agent' }
  | { readonly kind: 'agent'; readonly event: AgentEvent }
  | { readonly kind: 'host-removed' };

/** The next life; the same object when nothing changed. */
export interface Transition {
  readonly life: OperationLife;
  /** The message in the stream is to be deleted: nobody needs it any more. */
  readonly deleteMessage: boolean;
}

/** How every operation begins. */
export const SUBMITTED: OperationLife = {
  state: 'SUBMITTED',
  phase: null,
  graceMs: null,
  boundMs: null,
  phases: [],
  agentSeq: 0,
  sequence: null,
  claimed: false,
  overdue: false,
  outcome: null,
};

/**
 * The life cycle of an operation: pure, total, final states are never left.
 *
 * What makes EXPIRED, CANCELLED and HOST_OFFLINE proofs is that a claim is granted only before them, and that an agent starts nothing
 * without one.
 */
export function transition(life: OperationLife, event: LifeEvent): Transition {
  if (FINAL_STATES.has(life.state)) return afterTheEnd(life, event);
  switch (event.kind) {
    case 'queued':
      return stay({ ...life, sequence: event.sequence, ...(life.state === 'SUBMITTED' ? { state: 'QUEUED' } : {}) });
    case 'undeliverable':
      return life.claimed ? stay(life) : fail(life, 'FAILED', event);
    case 'expire':
      return life.claimed
        ? stay(life)
        : fail(life, 'EXPIRED', { code: 'EXPIRED', message: 'nobody started it within its start-by time' });
    case 'claim':
      return life.claimed ? stay(life) : stay({ ...life, state: 'CLAIMED', claimed: true });
    case 'cancel':
      return life.claimed ? stay(life) : fail(life, 'CANCELLED', CANCELLED);
    case 'cancelled-by-agent':
      return life.state === 'RUNNING' ? stay(life) : fail(life, 'CANCELLED', CANCELLED);
    case 'agent':
      return told(life, event.event);
    case 'host-removed':
      return life.claimed
        ? fail(life, 'UNKNOWN', { code: 'LOST', message: 'its host was removed from the fleet before it told the end' })
        : fail(life, 'FAILED', {
            code: 'HOST_OFFLINE',
            message: 'its host was removed from the fleet: it was not started',
          });
    default:
      return event satisfies never;
  }
}

/** What an agent is told that asks whether it may start this: `granted` exactly when the operation is claimed and has no end. */
export function claimAnswer(life: OperationLife): ClaimAnswer {
  if (!FINAL_STATES.has(life.state)) return life.claimed ? { granted: true } : { granted: false, why: 'unknown' };
  if (life.state === 'EXPIRED') return { granted: false, why: 'expired' };
  return { granted: false, why: life.state === 'CANCELLED' ? 'cancelled' : 'ended' };
}

const CANCELLED = { code: 'CANCELLED_BEFORE_START', message: 'it was cancelled before it was started' } as const;

function afterTheEnd(life: OperationLife, event: LifeEvent): Transition {
  // The publish was slower than the end: what it left in the stream is not for anyone.
  if (event.kind === 'queued') return { life: { ...life, sequence: event.sequence }, deleteMessage: true };
  // The hub takes what an agent still tells, so that the agent can forget it; the end stays.
  if (event.kind === 'agent' && event.event.seq === life.agentSeq + 1) {
    return stay({ ...life, agentSeq: event.event.seq });
  }
  return stay(life);
}

function told(life: OperationLife, event: AgentEvent): Transition {
  // Sent again, out of order, or about something that was never granted: not taken.
  if (!life.claimed || event.seq !== life.agentSeq + 1) return stay(life);
  const next = { ...life, agentSeq: event.seq };
  switch (event.kind) {
    case 'accepted': {
      const { graceMs, boundMs, phases } = event;
      return stay({ ...next, graceMs, boundMs, phases, state: life.state === 'RUNNING' ? 'RUNNING' : 'ACCEPTED' });
    }
    case 'started':
      return stay({ ...next, state: 'RUNNING' });
    case 'phase':
      return stay({ ...next, phase: event.phase });
    case 'overdue':
      return stay({ ...next, overdue: true });
    case 'done':
      return end({ ...next, state: event.state, outcome: event.outcome });
    default:
      return event satisfies never;
  }
}

function fail(
  life: OperationLife,
  state: FleetState,
  why: { readonly code: FailureCode; readonly message: string },
): Transition {
  return end({ ...life, state, outcome: { changed: false, failure: { code: why.code, message: why.message } } });
}

function end(life: OperationLife): Transition {
  return { life: { ...life, phase: null }, deleteMessage: life.sequence !== null };
}

function stay(life: OperationLife): Transition {
  return { life, deleteMessage: false };
}
