import { EngineError, encodeJsonLine, JSON_LINE_CHARS_MAX } from '@fairlead/protocol';
import { TRACE_FORMAT, type TraceEvent } from './trace-event.ts';

/** What each kind of event has to have, so that nobody trips over it. */
const FIELDS: Readonly<Record<TraceEvent['type'], Readonly<Record<string, FieldKind>>>> = {
  begin: { format: 'string', startedAt: 'string', engine: 'string', command: 'array' },
  connect: { connection: 'number' },
  connected: { connection: 'number' },
  'connect-failed': { connection: 'number', errno: 'string', message: 'string' },
  request: { connection: 'number', exchange: 'number', method: 'string', target: 'string', headers: 'headers' },
  'request-end': { connection: 'number', exchange: 'number', bytes: 'number', facts: 'object' },
  answer: { connection: 'number', exchange: 'number', status: 'number', reason: 'string', headers: 'headers' },
  'answer-end': { connection: 'number', exchange: 'number', bytes: 'number', facts: 'object' },
  stream: { connection: 'number', exchange: 'number' },
  moved: { connection: 'number', exchange: 'number', side: 'string', bytes: 'number' },
  'detach-keys': { connection: 'number', exchange: 'number' },
  cut: { connection: 'number', exchange: 'number', side: 'string', cut: 'object' },
  unparsable: { connection: 'number', side: 'string', why: 'string' },
  end: { connection: 'number', side: 'string', how: 'string' },
  closed: { connection: 'number', clientBytes: 'number', engineBytes: 'number' },
  look: { exchange: 'number', when: 'string', ref: 'string', killConfirmMs: 'number', fate: 'object' },
  'exec-look': { exchange: 'number', exec: 'string' },
  finish: { interrupted: 'boolean', openConnections: 'number' },
};

type FieldKind = 'string' | 'number' | 'boolean' | 'array' | 'object' | 'headers';

/** One event as a line of a recording. */
export function encodeEvent(event: TraceEvent): string {
  return encodeJsonLine(event);
}

/**
 * Reads one line of a recording; undefined for an empty one, and for an event that a newer program wrote.
 *
 * @throws EngineError 'invalid-argument' when it is no line of a recording.
 */
export function decodeEvent(line: string, number: number): TraceEvent | undefined {
  if (line.trim() === '') return undefined;
  if (line.length > JSON_LINE_CHARS_MAX * 2) throw wrongLine(number, 'it is too long');
  const event = parsed(line, number);
  if (number === 1 && fieldOf(event, 'format') !== TRACE_FORMAT)
    throw wrongLine(number, `it does not begin a ${TRACE_FORMAT}`);
  const type = fieldOf(event, 'type');
  if (typeof type !== 'string') throw wrongLine(number, 'it is no event');
  if (!Object.hasOwn(FIELDS, type)) return undefined;
  if (!isTraceEvent(event)) throw wrongLine(number, `it is not a whole event of the type ${type}`);
  return event;
}

function isTraceEvent(event: unknown): event is TraceEvent {
  const type = fieldOf(event, 'type');
  const fields = Object.entries(FIELDS).find(([name]) => name === type)?.[1];
  return (
    fields !== undefined &&
    typeof fieldOf(event, 'atMs') === 'number' &&
    Object.entries(fields).every(([name, kind]) => isKind(fieldOf(event, name), kind))
  );
}

function isKind(value: unknown, kind: FieldKind): boolean {
  switch (kind) {
    case 'array':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'headers':
      return (
        Array.isArray(value) &&
        value.every(
          (item) => Array.isArray(item) && item.length === 2 && item.every((part) => typeof part === 'string'),
        )
      );
    case 'object':
      return typeof value === 'object' && value !== null;
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === kind;
    default:
      return kind satisfies never;
  }
}

function fieldOf(document: unknown, name: string): unknown {
  if (typeof document !== 'object' || document === null) return undefined;
  return Object.entries(document).find(([key]) => key === name)?.[1];
}

function parsed(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw wrongLine(number, 'it is not JSON', cause);
  }
}

function wrongLine(number: number, why: string, cause?: unknown): EngineError {
  return new EngineError('invalid-argument', `line ${number} is not of a recording of fairlead trace: ${why}`, {
    cause,
  });
}
