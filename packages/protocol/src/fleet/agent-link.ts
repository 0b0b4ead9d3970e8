import * as v from 'valibot';
import { type FleetCommand, fleetCommandSchema } from './command.ts';
import { type DeliveryMode, FLEET_ROLES, type FleetActor } from './operation.ts';

/** Version of what hub and agent say to each other. The hub refuses an agent that speaks another major one. */
export const LINK_VERSION = 2;

/** How often an agent says that it lives, ± `HEARTBEAT_JITTER`; the hub may ask for less in a large fleet. Source: fleet.md. */
export const HEARTBEAT_MS = 10_000;
/** Share by which heartbeats are spread, so that a thousand agents do not speak at once. */
export const HEARTBEAT_JITTER = 0.2;
/** Without a heartbeat for this many intervals a host counts as offline: 35 s at 10 s. */
export const HEARTBEATS_MISSED_MAX = 3.5;
/** An operation whose agent was not heard of for so long is flagged `agentSilent`. */
export const AGENT_SILENT_MS = 15_000;
/** The heartbeat interval for a fleet of this size: max(10 s, agents/50 s). */
export function heartbeatMs(agents: number): number {
  return Math.max(HEARTBEAT_MS, (agents / 50) * 1000);
}

/** A command on its way to an agent, live (`rpc.command`) or queued (`cmd`). It starts nothing: the agent claims it first. */
export interface CommandMessage {
  readonly operationId: string;
  readonly command: FleetCommand;
  readonly actor: FleetActor;
  readonly mode: DeliveryMode;
}

/** `op_` and 26 base32 characters, as one token of a subject. */
const operationId = v.pipe(v.string(), v.regex(/^op_[a-z0-9]{1,64}$/));

/** Checks a command as it reaches an agent. Its verb and arguments are checked as at the hub. */
export const commandMessageSchema: v.GenericSchema<unknown, CommandMessage> = v.object({
  operationId,
  command: fleetCommandSchema,
  actor: v.object({ name: v.pipe(v.string(), v.maxLength(256)), role: v.picklist(FLEET_ROLES) }),
  mode: v.picklist(['live', 'queue']),
});

/** Finds which operation a message is about that cannot be read otherwise, so that its end can be told. */
export const operationIdSchema: v.GenericSchema<unknown, { readonly operationId: string }> = v.object({ operationId });

/** `rpc.cancel`: asked of an agent about an operation that it has claimed; the answer is a `CancelAnswer`. */
export type CancelRequest = ClaimRequest;

/** May I start this? Asked once before a start, again after an agent's restart. */
export interface ClaimRequest {
  readonly operationId: string;
}

/**
 * The hub's decision, stored before it is sent. A granted claim may be repeated by the same host; a refused one stays refused.
 * `expired` and `cancelled` prove that it never started; `unknown`: the hub has no such operation for this host.
 */
export type ClaimAnswer =
  | { readonly granted: true }
  | { readonly granted: false; readonly why: 'expired' | 'cancelled' | 'unknown' | 'ended' };

/** The hub's answer to events that were asked about: the highest seq of that operation it has stored, all before it included. */
export interface EventAnswer {
  readonly stored: number;
}

/** The same of events that were told without asking, which saves a message for each. */
export interface StoredEvents extends EventAnswer {
  readonly operationId: string;
}

/** The answer to a claim, and what the hub has stored meanwhile of other operations of that host. */
export type ClaimReply = ClaimAnswer & { readonly alsoStored?: readonly StoredEvents[] | undefined };

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const storedEvents = v.pipe(v.array(v.object({ operationId, stored: count })), v.maxLength(10_000));
const alsoStored = v.optional(storedEvents);

/** Checks the hub's answer to a claim. */
export const claimReplySchema: v.GenericSchema<unknown, ClaimReply> = v.union([
  v.object({ granted: v.literal(true), alsoStored }),
  v.object({ granted: v.literal(false), why: v.picklist(['expired', 'cancelled', 'unknown', 'ended']), alsoStored }),
]);

/** Checks what `rpc.stored` carries: what was told and could go along with no answer to a claim. */
export const storedEventsSchema: v.GenericSchema<unknown, readonly StoredEvents[]> = storedEvents;

/** First words of an agent on every connection. */
export interface HelloRequest {
  readonly linkVersion: number;
  readonly agentVersion: string;
  readonly engine: EngineReport;
  /** Operations in its journal that have no end yet, or whose end the hub has not acknowledged. */
  readonly openOperations: readonly string[];
}

/** What an agent knows of its engine. */
export interface EngineReport {
  /** `fairlead`, `docker`, `podman`; as the engine names itself otherwise. */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly state: 'ok' | 'unreachable' | 'silent';
  readonly containers?: number | undefined;
  readonly running?: number | undefined;
  /** Why it cannot be reached. */
  readonly message?: string | undefined;
}

/** The hub's answer to a hello. */
export interface HelloAnswer {
  readonly heartbeatMs: number;
  /** Granted operations that the hub believes this host has and that it did not name: it is asked what it knows of them. */
  readonly reconcile: readonly ReconcileRequest[];
}

/** One operation to be asked about; the next event the hub takes of it has `storedSeq + 1`. */
export interface ReconcileRequest {
  readonly operationId: string;
  readonly storedSeq: number;
}

/** Checks the answer to a hello. */
export const helloAnswerSchema: v.GenericSchema<unknown, HelloAnswer> = v.object({
  heartbeatMs: v.pipe(v.number(), v.minValue(100), v.maxValue(3_600_000)),
  reconcile: v.pipe(v.array(v.object({ operationId, storedSeq: count })), v.maxLength(10_000)),
});

/** One sign of life. */
export interface Heartbeat {
  readonly engine: EngineReport;
  readonly runningOperations: number;
  readonly sessions: number;
}

/** One container in an inventory: what a list across hosts shows. */
export interface InventoryContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Changes since the last inventory of this connection; the first one is `full`. */
export interface InventoryDelta {
  readonly full: boolean;
  readonly changed: readonly InventoryContainer[];
  readonly removed: readonly string[];
}
