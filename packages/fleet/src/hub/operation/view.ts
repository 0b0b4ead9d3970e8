import { AGENT_SILENT_MS, type FleetOperation } from '@fairlead/protocol/fleet';
import { type HostClock, sinceMs } from '../../lib/host-clock.ts';
import { isOpen, type OperationRecord } from './record.ts';

/** What a view needs beside the record. */
export interface ViewDeps {
  readonly clock: HostClock;
  /** Since the operation's host was last heard of, in milliseconds; Infinity: never. */
  readonly silentMs: number;
}

/** An operation as callers see it, with what is left of its bound at this moment, on the hub's monotonic clock. */
export function operationView(record: OperationRecord, { clock, silentMs }: ViewDeps): FleetOperation {
  const { id, key, host, hostName, command, actor, mode, life } = record;
  const open = isOpen(life.state);
  const runningMs = runningFor(record, clock);
  const { boundMs } = life;
  const leftMs = boundMs === null ? null : Math.max(0, Math.ceil(boundMs - (runningMs ?? 0)));
  return {
    id,
    key,
    host,
    hostName,
    command,
    actor,
    mode,
    state: life.state,
    phase: life.phase,
    graceMs: life.graceMs,
    boundMs,
    boundRemainingMs: open ? leftMs : null,
    submittedAt: timeText(record.submittedAt) ?? '',
    startedAt: timeText(record.startedAt),
    endedAt: timeText(record.endedAt),
    agentSilent: open && life.claimed && silentMs > AGENT_SILENT_MS,
    overdue: open && (life.overdue || (runningMs !== undefined && boundMs !== null && runningMs > boundMs)),
    outcome: life.outcome,
  };
}

/** Since `started` reached the hub; across a boot of the hub's machine its wall clock must do. */
function runningFor({ startedMoment, startedAt }: OperationRecord, clock: HostClock): number | undefined {
  if (startedMoment === null || startedAt === null) return undefined;
  return sinceMs(clock, startedMoment) ?? Math.max(0, Date.now() - startedAt);
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
