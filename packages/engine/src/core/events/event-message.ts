import type { EventMessage } from '@fairlead/protocol';
import type { EngineEvent } from './event.ts';

/** The event as clients read it. Source: engine-api 8.2. */
export function eventMessage(event: EngineEvent): EventMessage {
  const nanos = BigInt(event.timeNanos);
  const message = {
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: event.attributes },
    scope: 'local',
    time: Number(nanos / 1_000_000_000n),
    timeNano: Number(nanos),
  } as const;
  if (event.type === 'container') {
    return { status: event.action, id: event.actorId, from: event.attributes['image'] ?? '', ...message };
  }
  if (event.type === 'image') return { status: event.action, id: event.actorId, ...message };
  return message;
}
