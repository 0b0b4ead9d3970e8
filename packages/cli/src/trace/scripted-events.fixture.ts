import { Conversation } from './conversation.ts';
import { type EndKind, type Side, TRACE_FORMAT, type TraceEvent } from './trace-event.ts';

/** What happened at a moment: bytes, or an end, of one side of a connection. */
export type Scripted =
  | { readonly atMs: number; readonly connection?: number; readonly side: Side; readonly bytes: string | Uint8Array }
  | { readonly atMs: number; readonly connection?: number; readonly side: Side; readonly end: EndKind }
  | { readonly event: TraceEvent };

/** The events of a trace in which this happened. Connections open with their first byte, and are closed at the end. */
export function scriptedEvents(script: readonly Scripted[], command: readonly string[] = ['client']): TraceEvent[] {
  const events: TraceEvent[] = [
    {
      type: 'begin',
      format: TRACE_FORMAT,
      startedAt: '2026-01-01T00:00:00.000Z',
      engine: 'unix:///engine.sock',
      command,
      atMs: 0,
    },
  ];
  const conversations = new Map<number, Conversation>();
  let exchanges = 0;
  const conversationOn = (connection: number, atMs: number): Conversation => {
    const known = conversations.get(connection);
    if (known !== undefined) return known;
    events.push({ type: 'connect', connection, atMs });
    const shared = { wishes: { limitBytes: 0, secrets: false }, nextExchange: () => (exchanges += 1) };
    const made = new Conversation({ ...shared, connection, tell: (event) => void events.push(event) }, atMs);
    conversations.set(connection, made);
    return made;
  };
  for (const step of script) {
    if ('event' in step) {
      events.push(step.event);
      continue;
    }
    const conversation = conversationOn(step.connection ?? 1, step.atMs);
    if ('end' in step) conversation.ended(step.side, step.end, step.atMs);
    else if (step.side === 'client') conversation.fromClient(bytesOf(step.bytes), step.atMs);
    else conversation.fromEngine(bytesOf(step.bytes), step.atMs);
  }
  return events;
}

function bytesOf(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
}

/** A request as a client sends it. */
export function requestOf(line: string, json?: object, ...headers: readonly string[]): string {
  const body = json === undefined ? '' : JSON.stringify(json);
  return [`${line} HTTP/1.1`, 'Host: docker', ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

/** An answer as an engine sends it. */
export function answerOf(status: string, json?: object, ...headers: readonly string[]): string {
  const body = json === undefined ? '' : JSON.stringify(json);
  return [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json',
    ...headers,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** The head of an answer that takes the connection over. */
export const HIJACKED =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
/** What asks for that. */
export const UPGRADE: readonly string[] = ['Connection: Upgrade', 'Upgrade: tcp'];
