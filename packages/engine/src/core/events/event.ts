import type { EventType } from '@fairlead/protocol';

/** One thing that happened, as persisted. */
export interface EngineEvent {
  readonly type: EventType;
  readonly action: string;
  /** Id of the container or network, id or name of the image. */
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since 1970 in decimal: unique and rising. */
  readonly timeNanos: string;
}

/** Recognises a stored event. The engine is the only writer, so the frame is checked, not every field. */
export function isEngineEvent(document: unknown): document is EngineEvent {
  if (typeof document !== 'object' || document === null) return false;
  return 'type' in document && 'action' in document && 'attributes' in document && 'timeNanos' in document;
}
