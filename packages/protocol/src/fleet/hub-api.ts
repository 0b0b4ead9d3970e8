import * as v from 'valibot';
import type { EngineReport, InventoryContainer } from './agent-link.ts';
import type { HostId } from './host-id.ts';
import {
  FLEET_ROLES,
  type FleetActor,
  type FleetFailure,
  type FleetOperation,
  type FleetOutcome,
  type FleetPhase,
  type FleetRole,
  type FleetState,
} from './operation.ts';

/** How many operations one request may submit. */
export const SUBMIT_BATCH_MAX = 1_000;

/** The answer to a submit: ENDED has an outcome; PENDING runs on, and is asked for again by id or key. */
export interface SubmitAnswer {
  readonly state: 'ENDED' | 'PENDING';
  readonly operation: FleetOperation;
}

/** One of a batch that was not accepted: nothing of it is stored. */
export interface SubmitRefusal {
  readonly state: 'REFUSED';
  readonly code: HubErrorCode;
  readonly message: string;
}

/** What happened to an operation, as the hub stored it, numbered from 1 without gaps. */
export interface FleetOperationEvent {
  readonly seq: number;
  /** On the hub's clock, since it was submitted. */
  readonly atMs: number;
  readonly kind:
    | 'submitted'
    | 'queued'
    | 'claimed'
    | 'cancel-asked'
    | 'accepted'
    | 'started'
    | 'phase'
    | 'overdue'
    | 'ended';
  /** The state it led to. */
  readonly state: FleetState;
  /** Of `phase`. */
  readonly phase?: FleetPhase | undefined;
  /** Of `accepted`; null: without end, or none. */
  readonly graceMs?: number | null | undefined;
  readonly boundMs?: number | null | undefined;
  readonly phases?: readonly FleetPhase[] | undefined;
  /** Of what an agent told: since it received the command, on its own clock. */
  readonly agentAtMs?: number | undefined;
  /** Of `overdue`. */
  readonly failure?: FleetFailure | undefined;
  /** Of `ended`. */
  readonly outcome?: FleetOutcome | undefined;
  /** Of `cancel-asked`. */
  readonly actor?: FleetActor | undefined;
}

/** One host of the fleet, as `/v1/hosts` shows it. */
export interface FleetHost {
  readonly id: HostId;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `unknown`: the hub was started a moment ago and has not heard of it yet. */
  readonly state: 'online' | 'offline' | 'unknown';
  readonly engine: EngineReport | null;
  readonly agentVersion: string | null;
  /** Since it was last heard of; null: not since the hub was started. */
  readonly lastHeardMs: number | null;
  readonly enrolledAt: string;
  /** Operations without an end, and those of them that wait in its queue. */
  readonly openOperations: number;
  readonly queuedOperations: number;
  readonly sessions: number;
  readonly containers: number | null;
}

/** A container of some host. */
export interface FleetContainer extends InventoryContainer {
  readonly host: HostId;
  readonly hostName: string;
  /** The host is not connected: this is how it was when it was last heard of. */
  readonly stale: boolean;
}

/** One thing that happened in the fleet. `seq` is of this hub's life and starts anew with it; `epoch` tells lives apart. */
export interface FleetEvent {
  readonly seq: number;
  readonly at: string;
  readonly kind: 'host' | 'operation' | 'container';
  /** `online`, `offline`, `enrolled`, `removed`, `changed`; an operation's state; a container's state or `removed`. */
  readonly action: string;
  readonly host: HostId;
  readonly hostName: string;
  readonly operationId?: string | undefined;
  readonly container?: string | undefined;
}

/** A user, as `/v1/users` shows it. The token is shown once, when it is made. */
export interface FleetUser {
  readonly name: string;
  readonly role: FleetRole;
  readonly createdAt: string;
}

/** A token that enrols one host, as it is listed. */
export interface EnrolmentToken {
  readonly id: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdBy: string;
  readonly createdAt: string;
  /** Until it is worthless. */
  readonly expiresInMs: number;
}

/** One line of the audit. `hash` covers the line and the hash before it, so that a line that is changed or left out shows. */
export interface AuditEntry {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly role: FleetRole | 'none';
  /** Where from: `unix` or an address. */
  readonly from: string;
  /** `operation.submit`, `host.remove`, … */
  readonly action: string;
  readonly target: string;
  readonly detail: string;
  readonly hash: string;
}

/** How an agent that was enrolled reaches NATS: through the hub's own port (`GET /v1/link`), or directly. */
export type NatsWay = { readonly via: 'hub' } | { readonly via: 'direct'; readonly urls: readonly string[] };

/** The answer to an enrolment. */
export interface EnrolAnswer {
  readonly host: HostId;
  readonly name: string;
  readonly nats: NatsWay;
}

/** Why the hub refused a request: a closed list; the message says more. */
export type HubErrorCode =
  | 'INVALID'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'KEY_CONFLICT'
  | 'TOO_LARGE'
  | 'TOO_MANY'
  | 'HOST_OFFLINE'
  | 'SESSION_LOST'
  | 'DENIED_BY_POLICY'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** The body of every refusal. */
export interface HubErrorBody {
  readonly code: HubErrorCode;
  readonly message: string;
}

/** Names of hosts and users: what fits in a list and on a command line. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
/** Labels of one host. Source: ours; a selector is typed by hand. */
const LABELS_MAX = 64;
const LABEL_KEY = /^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$/;
const LABEL_CHARACTERS_MAX = 256;

const name = v.pipe(v.string(), v.regex(NAME, 'a name is letters, digits, "_", "." and "-", at most 128'));
const labels = v.pipe(
  v.record(v.pipe(v.string(), v.regex(LABEL_KEY)), v.pipe(v.string(), v.maxLength(LABEL_CHARACTERS_MAX))),
  v.check((map) => Object.keys(map).length <= LABELS_MAX, `a host has at most ${LABELS_MAX} labels`),
);

/** What a new host sends with its token. */
export interface EnrolRequest {
  readonly token: string;
  readonly publicKey: string;
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Checks an enrolment. */
export const enrolRequestSchema: v.GenericSchema<unknown, EnrolRequest> = v.object({
  token: v.pipe(v.string(), v.maxLength(256)),
  publicKey: v.pipe(v.string(), v.maxLength(64)),
  name: v.optional(name),
  labels: v.optional(labels),
});

/** Asks for a token that enrols one host. */
export interface TokenRequest {
  /** The host's name; the host says it itself when absent. */
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** An hour when absent. */
  readonly expiresMs?: number | undefined;
}

/** Checks a request for a token. At most 30 days. */
export const tokenRequestSchema: v.GenericSchema<unknown, TokenRequest> = v.object({
  name: v.optional(name),
  labels: v.optional(labels),
  expiresMs: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(30 * 24 * 3600 * 1000))),
});

/** Changes a host's name or labels; labels are replaced as a whole. */
export interface HostChange {
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Checks a change of a host. */
export const hostChangeSchema: v.GenericSchema<unknown, HostChange> = v.object({
  name: v.optional(name),
  labels: v.optional(labels),
});

/** Makes a user. */
export interface UserRequest {
  readonly name: string;
  readonly role: FleetRole;
}

/** Checks a request for a user. `local` is whoever runs the hub. */
export const userRequestSchema: v.GenericSchema<unknown, UserRequest> = v.object({
  name: v.pipe(
    name,
    v.check((text) => text !== 'local', '"local" is whoever is root on the hub'),
  ),
  role: v.picklist(FLEET_ROLES),
});
