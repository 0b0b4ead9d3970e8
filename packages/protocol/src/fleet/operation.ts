import * as v from 'valibot';
import type { ErrorKind } from '../errors.ts';
import type { StopOutcome } from '../models/operation.ts';
import { type FleetCommand, fleetCommandSchema, KEY_CHARACTERS_MAX } from './command.ts';
import type { HostId } from './host-id.ts';

/** How delivery treats a host that is not connected: refuse at once, or keep the command until `startByMs` has passed. */
export type DeliveryMode = 'live' | 'queue';

/**
 * Where an operation is. EXPIRED and CANCELLED mean: never started, provably. UNKNOWN means: started, and nobody can know
 * how it ended (an exec whose agent died).
 */
export type FleetState =
  | 'SUBMITTED'
  | 'QUEUED'
  | 'CLAIMED'
  | 'ACCEPTED'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED'
  | 'EXPIRED'
  | 'UNKNOWN';

/** The states an operation never leaves. */
export const FINAL_STATES: ReadonlySet<FleetState> = new Set([
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'UNKNOWN',
]);

/** What a running operation does at the moment; `resolve` looks the container up, the others are a stop's. */
export type FleetPhase = 'resolve' | 'signal' | 'grace' | 'kill' | 'confirm' | 'work';

/** Why an operation did not do what was asked: a closed list, one row of the failure matrix each. */
export type FailureCode =
  | 'HOST_OFFLINE'
  | 'QUEUE_FULL'
  | 'EXPIRED'
  | 'CANCELLED_BEFORE_START'
  | 'ENGINE_UNREACHABLE'
  | 'ENGINE_OVERDUE'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'INVALID'
  | 'DENIED_BY_POLICY'
  | 'NOT_IMPLEMENTED'
  | 'ENGINE_ERROR'
  /** A running exec or pull was ended because somebody cancelled it. */
  | 'CANCELLED'
  /** The agent cannot write its journal (a full disk, …), so it starts nothing. */
  | 'AGENT_STORAGE'
  | 'LOST'
  | 'DEAD_LETTER';

/** How an operation ended, with the evidence for it. */
export interface FleetOutcome {
  /** False where the engine had nothing to do (304). */
  readonly changed?: boolean | undefined;
  readonly containerId?: string | undefined;
  /** Of a stop or restart. */
  readonly stop?: StopOutcome | undefined;
  /** Of a stopped container, or of an exec's program. */
  readonly exitCode?: number | undefined;
  /** Of an exec: what the program wrote, cut at `OUTPUT_CHARACTERS_MAX` from the front. */
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
  readonly truncated?: boolean | undefined;
  readonly failure?: FleetFailure | undefined;
  readonly tookMs?: number | undefined;
  /** The engine's answer never came; the state was looked at instead. */
  readonly late?: boolean | undefined;
}

/** What went wrong, in the engine's words where it had any. */
export interface FleetFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly kind?: ErrorKind | undefined;
  /** Of a connect that failed: `ENOENT`, `ECONNREFUSED`, …, and the address tried. */
  readonly errno?: string | undefined;
  readonly address?: string | undefined;
}

/** Output of an exec kept on record, per stream. Longer output is for a session. */
export const OUTPUT_CHARACTERS_MAX: number = 64 * 1024;

/**
 * What an agent tells of an operation, in order: `seq` counts from 1 without gaps and is the agent's journal's. `atMs` is
 * relative to the agent's receipt of the command, on its monotonic clock: no wall clock crosses the wire.
 */
export type AgentEvent = { readonly seq: number; readonly atMs: number } & (
  | {
      readonly kind: 'accepted';
      /** null: without end, or none. */
      readonly graceMs: number | null;
      readonly boundMs: number | null;
      readonly phases: readonly FleetPhase[];
    }
  | { readonly kind: 'started' }
  | { readonly kind: 'phase'; readonly phase: FleetPhase }
  /** No end: the engine did not keep its bound, or cannot be reached meanwhile. It is watched, and `done` follows. */
  | { readonly kind: 'overdue'; readonly failure: FleetFailure }
  | { readonly kind: 'done'; readonly state: AgentFinalState; readonly outcome: FleetOutcome }
);

/** The ends an agent may tell. CANCELLED: before anything was started; EXPIRED is the hub's alone. */
export type AgentFinalState = 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'UNKNOWN';

/** Who asked. */
export interface FleetActor {
  /** A user's name, or `local` for whoever runs the hub. */
  readonly name: string;
  readonly role: FleetRole;
}

/** What a user may do; each includes those before it. */
export type FleetRole = 'view' | 'operate' | 'exec' | 'admin';

/** Roles from the least to the most. */
export const FLEET_ROLES: readonly FleetRole[] = ['view', 'operate', 'exec', 'admin'];

/** True when `role` includes what `needed` may do. */
export function roleIncludes(role: FleetRole, needed: FleetRole): boolean {
  return FLEET_ROLES.indexOf(role) >= FLEET_ROLES.indexOf(needed);
}

/** One command's life as the hub keeps it and `/v1/operations` shows it. Times are RFC 3339, from the hub's clock, for people only. */
export interface FleetOperation {
  /** `op_` and 26 base32 characters. */
  readonly id: string;
  /** The caller's idempotency key; the id when none was given. */
  readonly key: string;
  readonly host: HostId;
  readonly hostName: string;
  readonly command: FleetCommand;
  readonly actor: FleetActor;
  readonly mode: DeliveryMode;
  readonly state: FleetState;
  readonly phase: FleetPhase | null;
  readonly graceMs: number | null;
  /** The latest end, from `started`; null: none known. */
  readonly boundMs: number | null;
  /** At most until the end, worked out when this was read; null: none known, or ended. */
  readonly boundRemainingMs: number | null;
  readonly submittedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** The agent was not heard of for 15 s. Nothing is concluded from it. */
  readonly agentSilent: boolean;
  /** The bound has passed without an end. */
  readonly overdue: boolean;
  readonly outcome: FleetOutcome | null;
}

/** What a caller posts to `/v1/operations`. */
export interface SubmitOperation {
  /** A host's id or its name. */
  readonly host: string;
  readonly command: FleetCommand;
  /** The same key gives the same operation; with another body it is a conflict. */
  readonly key?: string | undefined;
  /** `live` when absent. */
  readonly mode?: DeliveryMode | undefined;
  /** Of a queued command: not started later than this after it was accepted. An hour when absent. */
  readonly startByMs?: number | undefined;
  /** How long the caller listens; the answer comes before that. 30 s when absent; 0: answered as soon as it is stored. */
  readonly patienceMs?: number | undefined;
}

const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));

/** Checks what a caller posts to `/v1/operations`. */
export const submitOperationSchema: v.GenericSchema<unknown, SubmitOperation> = v.object({
  host: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  command: fleetCommandSchema,
  key: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(KEY_CHARACTERS_MAX))),
  mode: v.optional(v.picklist(['live', 'queue'])),
  startByMs: v.optional(milliseconds),
  patienceMs: v.optional(milliseconds),
});

/** How a cancel was answered; `NOT_CANCELLABLE` names the phase that is past stopping. */
export type CancelAnswer =
  | { readonly result: 'CANCELLED_BEFORE_START' }
  | { readonly result: 'CANCEL_DELIVERED' }
  | { readonly result: 'NOT_CANCELLABLE'; readonly phase: FleetPhase | null; readonly state: FleetState };

const phases: readonly FleetPhase[] = ['resolve', 'signal', 'grace', 'kill', 'confirm', 'work'];
const states: readonly FleetState[] = ['SUBMITTED', 'QUEUED', 'CLAIMED', 'ACCEPTED', 'RUNNING', ...FINAL_STATES];

/** Checks the answer to a cancel. */
export const cancelAnswerSchema: v.GenericSchema<unknown, CancelAnswer> = v.variant('result', [
  v.object({ result: v.literal('CANCELLED_BEFORE_START') }),
  v.object({ result: v.literal('CANCEL_DELIVERED') }),
  v.object({
    result: v.literal('NOT_CANCELLABLE'),
    phase: v.nullable(v.picklist(phases)),
    state: v.picklist(states),
  }),
]);
