import type {
  DeliveryMode,
  FleetActor,
  FleetCommand,
  FleetOperationEvent,
  FleetState,
  HostId,
} from '@fairlead/protocol/fleet';
import type { HostMoment } from '../../lib/host-clock.ts';
import type { OperationLife } from './machine.ts';

/** Everything the hub keeps of one operation: what was asked, how far it is, and what was told of it. */
export interface OperationRecord {
  readonly id: string;
  readonly key: string;
  /** Of what the key stands for: the same key with another fingerprint is a conflict. */
  readonly fingerprint: string;
  readonly host: HostId;
  /** As it was called when this was asked. */
  readonly hostName: string;
  readonly command: FleetCommand;
  readonly actor: FleetActor;
  readonly mode: DeliveryMode;
  /** Of a queued one: not started later than this after `moment`. */
  readonly startByMs: number | null;
  /** When it was accepted, on the hub's monotonic clock; the wall clocks are for people. */
  readonly moment: HostMoment;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly startedMoment: HostMoment | null;
  readonly endedAt: number | null;
  readonly life: OperationLife;
  readonly events: readonly FleetOperationEvent[];
}

/** Events kept of one operation: a stop has about ten. An agent that tells more than that of one tells nothing new. */
export const EVENTS_KEPT_MAX = 64;

/** True for `RUNNING` and what comes before it. */
export function isOpen(state: FleetState): boolean {
  return (
    state !== 'SUCCEEDED' && state !== 'FAILED' && state !== 'CANCELLED' && state !== 'EXPIRED' && state !== 'UNKNOWN'
  );
}
