import { randomUUID } from 'node:crypto';
import type { FleetEvent } from '@fairlead/protocol/fleet';

/** Events kept for those who come back. */
export const EVENTS_IN_RING = 10_000;

/** As it is kept: most are never read. */
interface KeptEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly event: Omit<FleetEvent, 'seq' | 'at'>;
}

/** The latest events of the fleet, numbered; whoever follows is woken, and pulls at its own pace. */
export class EventRing {
  /** Of this life of the hub: numbers start anew with it. */
  readonly epoch: string = randomUUID();
  readonly #events: KeptEvent[] = [];
  #seq = 0;
  readonly #followers = new Set<() => void>();

  get seq(): number {
    return this.#seq;
  }

  add(event: Omit<FleetEvent, 'seq' | 'at'>): void {
    this.#seq += 1;
    this.#events[(this.#seq - 1) % EVENTS_IN_RING] = { seq: this.#seq, atMs: Date.now(), event };
    for (const told of this.#followers) told();
  }

  /** Those after `seq` that are still there. */
  after(seq: number): readonly FleetEvent[] {
    const first = Math.max(seq, this.#seq - EVENTS_IN_RING, 0);
    return Array.from(
      { length: Math.max(0, this.#seq - first) },
      (_, at) => this.#events[(first + at) % EVENTS_IN_RING],
    ).flatMap((kept) => (kept === undefined ? [] : shown(kept)));
  }

  /** Calls `told` after every event; it must not throw. */
  watch(told: () => void): Disposable {
    this.#followers.add(told);
    return { [Symbol.dispose]: () => void this.#followers.delete(told) };
  }
}

function shown({ seq, atMs, event }: KeptEvent): FleetEvent {
  return { seq, at: new Date(atMs).toISOString(), ...event };
}
