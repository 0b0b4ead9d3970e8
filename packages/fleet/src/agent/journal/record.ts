import type { AgentEvent, CommandMessage, FleetPhase } from '@fairlead/protocol/fleet';
import type { HostMoment } from '../../lib/host-clock.ts';

/** An event of one kind, as the hub gets it. */
export type EventOf<K extends AgentEvent['kind']> = Extract<AgentEvent, { readonly kind: K }>;

/** What was true before the engine was asked: enough to tell afterwards, by looking, whether it did what was asked. */
export interface StartEvidence {
  /** Undefined: there was no such container, or the command is about none. */
  readonly container?: ContainerBefore | undefined;
  readonly graceMs: number | null;
  /** From `started` on; null: none. */
  readonly boundMs: number | null;
  readonly startedAt: HostMoment;
  /** The operation whose stop this one shares. */
  readonly joined?: string | undefined;
}

/** A container before it was acted upon. */
export interface ContainerBefore {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  readonly paused: boolean;
  /** The engine's own words: compared, never computed with. */
  readonly startedAt: string;
}

/** How far an operation of several requests came. */
export type Step =
  | { readonly step: 'created'; readonly containerId: string }
  /** The start behind a create is about to be asked for. */
  | { readonly step: 'start' }
  /** The exec exists and is about to be started. */
  | { readonly step: 'exec'; readonly execId: string };

/** One entry of the journal. Everything that depends on it happens after it is on disk. */
export type JournalRecord =
  /** The first one of every file. `complete` false: an earlier journal of this host was lost or damaged. */
  | { readonly kind: 'OPENED'; readonly id: string; readonly complete: boolean }
  | { readonly kind: 'RECEIVED'; readonly op: string; readonly message: CommandMessage; readonly at: HostMoment }
  | { readonly kind: 'CLAIMED'; readonly op: string }
  /** The hub refused the claim: it is forgotten. */
  | { readonly kind: 'DROPPED'; readonly op: string; readonly why: string }
  /** On disk before the engine is called. */
  | {
      readonly kind: 'STARTED';
      readonly op: string;
      readonly event: EventOf<'started'>;
      readonly evidence: StartEvidence;
    }
  | { readonly kind: 'STEP'; readonly op: string; readonly step: Step }
  | { readonly kind: 'PHASE'; readonly op: string; readonly event: EventOf<'accepted' | 'phase' | 'overdue'> }
  | { readonly kind: 'DONE'; readonly op: string; readonly event: EventOf<'done'> }
  /** The hub has stored every event up to `seq`. */
  | { readonly kind: 'ACKED'; readonly op: string; readonly seq: number };

/** Every kind of record. */
export type RecordKind = JournalRecord['kind'];

/** A record of one operation. */
export type OperationRecord = Exclude<JournalRecord, { readonly kind: 'OPENED' }>;

/** What the journal knows of an operation that is not closed. */
export interface JournalEntry {
  readonly operationId: string;
  readonly message: CommandMessage;
  readonly receivedAt: HostMoment;
  readonly isClaimed: boolean;
  readonly evidence: StartEvidence | undefined;
  readonly steps: readonly Step[];
  /** All of them, in order; the hub has those up to `ackedSeq`. */
  readonly events: readonly AgentEvent[];
  readonly ackedSeq: number;
}

/** The end of an operation, if it has one. */
export function endOf(entry: JournalEntry): EventOf<'done'> | undefined {
  const last = entry.events.at(-1);
  return last?.kind === 'done' ? last : undefined;
}

/** The phase an operation is in; null: none told. */
export function phaseOf(entry: JournalEntry): FleetPhase | null {
  const last = entry.events.findLast((event) => event.kind === 'phase');
  return last?.kind === 'phase' ? last.phase : null;
}
