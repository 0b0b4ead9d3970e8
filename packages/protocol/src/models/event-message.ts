import type { StringMap } from '../codec/go-schema.ts';

/** What an event is about. */
export type EventType = 'container' | 'image' | 'network' | 'volume' | 'daemon';

/** One line of `GET /events`. */
export interface EventMessage {
  /** Containers and images only: repeats Action. */
  readonly status?: string;
  /** Containers and images only: repeats Actor.ID. */
  readonly id?: string;
  /** Containers only: the image as written at create. */
  readonly from?: string;
  readonly Type: EventType;
  /** A verb, for execs and health with details behind a colon: `exec_create: sh`, `health_status: healthy`. */
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: StringMap<string> };
  readonly scope: 'local';
  /** Unix seconds. */
  readonly time: number;
  /** Unix nanoseconds; beyond what a double holds exactly, the last digits are rounded. */
  readonly timeNano: number;
}
