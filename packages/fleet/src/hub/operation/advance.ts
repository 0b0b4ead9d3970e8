import type { FleetActor, FleetOperationEvent } from '@fairlead/protocol/fleet';
import { type HostClock, sinceMs } from '../../lib/host-clock.ts';
import { type LifeEvent, type OperationLife, transition } from './machine.ts';
import { EVENTS_KEPT_MAX, isOpen, type OperationRecord } from './record.ts';

/** A record after something happened to it; the same object when nothing changed. */
export interface Advance {
  readonly record: OperationRecord;
  readonly deleteMessage: boolean;
}

/** Applies events to a record: the life's transitions, the times, and lines in its history. */
export function advance(record: OperationRecord, events: readonly LifeEvent[], clock: HostClock): Advance {
  let { life, startedAt, startedMoment, endedAt } = record;
  let deleteMessage = false;
  const now = Date.now();
  const lines: Line[] = [];
  for (const event of events) {
    const next = transition(life, event);
    deleteMessage ||= next.deleteMessage;
    if (next.life === life) continue;
    life = next.life;
    if (life.state === 'RUNNING' && startedAt === null) {
      startedAt = now;
      startedMoment = { bootId: clock.bootId, ms: clock.nowMs() };
    }
    const ends = !isOpen(life.state) && endedAt === null;
    if (ends) endedAt = now;
    const line = ends ? endLine(life) : historyLine(life, event);
    if (line !== undefined) lines.push(line);
  }
  if (life === record.life) return { record, deleteMessage };
  return { record: withLines({ ...record, life, startedAt, startedMoment, endedAt }, lines, clock), deleteMessage };
}

/** The record with a note that somebody asked to cancel it. */
export function noteCancel(record: OperationRecord, actor: FleetActor, clock: HostClock): OperationRecord {
  return withLines(record, [{ kind: 'cancel-asked', state: record.life.state, actor }], clock);
}

type Line = Omit<FleetOperationEvent, 'seq' | 'atMs'>;

function withLines(record: OperationRecord, lines: readonly Line[], clock: HostClock): OperationRecord {
  if (lines.length === 0) return record;
  const atMs = Math.round(sinceMs(clock, record.moment) ?? Date.now() - record.submittedAt);
  const events = [...record.events];
  for (const line of lines) {
    if (events.length < EVENTS_KEPT_MAX || line.kind === 'ended')
      events.push({ seq: events.length + 1, atMs, ...line });
  }
  return { ...record, events };
}

function endLine({ state, outcome }: OperationLife): Line {
  return { kind: 'ended', state, ...(outcome === null ? {} : { outcome }) };
}

function historyLine({ state }: OperationLife, event: LifeEvent): Line | undefined {
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
