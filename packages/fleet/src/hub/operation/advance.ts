import type { FleetActor, FleetOperationEvent } from '@fairlead/protocol/fleet';
import { type HostClock, sinceMs } from '../../lib/host-clock.ts';
import { type LifeEvent, transition } from './machine.ts';
import { EVENTS_KEPT_MAX, isOpen, type OperationRecord } from './record.ts';

/** A record after something happened to it; the same object when nothing changed. */
export interface Advance {
  readonly record: OperationRecord;
  readonly deleteMessage: boolean;
}

/** Applies an event to a record: the life's transition, the times, and a line in its history. */
export function advance(record: OperationRecord, event: LifeEvent, clock: HostClock): Advance {
  const { life, deleteMessage } = transition(record.life, event);
  if (life === record.life) return { record, deleteMessage };
  const moment = { bootId: clock.bootId, ms: clock.nowMs() };
  const now = Date.now();
  const starts = life.state === 'RUNNING' && record.startedAt === null;
  const ends = !isOpen(life.state) && record.endedAt === null;
  const next = {
    ...record,
    life,
    ...(starts ? { startedAt: now, startedMoment: moment } : {}),
    ...(ends ? { endedAt: now } : {}),
  };
  const line = ends ? endLine(next) : historyLine(next, event);
  return { record: line === undefined ? next : withLine(next, line, clock), deleteMessage };
}

/** The record with a note that somebody asked to cancel it. */
export function noteCancel(record: OperationRecord, actor: FleetActor, clock: HostClock): OperationRecord {
  return withLine(record, { kind: 'cancel-asked', state: record.life.state, actor }, clock);
}

type Line = Omit<FleetOperationEvent, 'seq' | 'atMs'>;

function withLine(record: OperationRecord, line: Line, clock: HostClock): OperationRecord {
  if (record.events.length >= EVENTS_KEPT_MAX && line.kind !== 'ended') return record;
  const atMs = Math.round(sinceMs(clock, record.moment) ?? Date.now() - record.submittedAt);
  return { ...record, events: [...record.events, { seq: record.events.length + 1, atMs, ...line }] };
}

function endLine({ life }: OperationRecord): Line {
  return { kind: 'ended', state: life.state, ...(life.outcome === null ? {} : { outcome: life.outcome }) };
}

function historyLine({ life }: OperationRecord, event: LifeEvent): Line | undefined {
  const { state } = life;
  switch (event.kind) {
    case 'queued':
      return { kind: 'queued', state };
    case 'claim':
      return { kind: 'claimed', state };
    case 'agent':
      return agentLine(state, event.event);
    case 'undeliverable':
    case 'expire':
    case 'cancel':
    case 'cancelled-by-agent':
    case 'host-removed':
      return undefined;
    default:
      return event satisfies never;
  }
}

function agentLine(state: Line['state'], event: Extract<LifeEvent, { kind: 'agent' }>['event']): Line | undefined {
  const at = { state, agentAtMs: event.atMs };
  switch (event.kind) {
    case 'accepted':
      return { kind: 'accepted', ...at, graceMs: event.graceMs, boundMs: event.boundMs, phases: event.phases };
    case 'started':
      return { kind: 'started', ...at };
    case 'phase':
      return { kind: 'phase', ...at, phase: event.phase };
    case 'overdue':
      return { kind: 'overdue', ...at, failure: event.failure };
    case 'done':
      return undefined;
    default:
      return event satisfies never;
  }
}
