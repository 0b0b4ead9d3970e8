import type { EventMessage, Filters, UnixNanos } from '@fairlead/protocol';
import { NANOS_PER_MS } from '@fairlead/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionLostError, EngineUnreachableError } from '../errors.ts';

export interface EventOptions {
  readonly since?: UnixNanos | undefined;
  readonly until?: UnixNanos | undefined;
  readonly filters?: Filters | undefined;
  /** Goes on after the connection broke or the engine was started again. */
  readonly reconnect?: boolean;
  readonly signal?: AbortSignal;
}

/** What happened, or that something may have been missed: engines keep few past events. */
export type EventFeedItem =
  | { readonly kind: 'event'; readonly event: EventMessage }
  | { readonly kind: 'gap'; readonly since: Date };

/** Pause before the next attempt; doubles up to the maximum and starts over with the first event. */
const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 5_000;

/** How an open feed is asked for. */
export type OpenEvents = (since: UnixNanos | undefined, signal: AbortSignal) => AsyncIterable<EventMessage>;

/**
 * Follows events. With `reconnect` it goes on from the last one seen, after a `gap` that tells to look at everything anew.
 *
 * @throws ConnectionLostError, EngineUnreachableError without `reconnect`; the signal's reason when aborted.
 */
export async function* followEvents(
  open: OpenEvents,
  options: EventOptions,
): AsyncGenerator<EventFeedItem, void, undefined> {
  const signal = options.signal ?? new AbortController().signal;
  const seen = new LastSeen(options.since);
  for (let pauseMs = RECONNECT_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, RECONNECT_MS_MAX)) {
    try {
      for await (const event of open(seen.since, signal)) {
        pauseMs = RECONNECT_MS_MIN;
        yield* seen.take(event);
      }
      if (options.reconnect !== true || options.until !== undefined) return;
    } catch (error) {
      signal.throwIfAborted();
      const broken = error instanceof ConnectionLostError || error instanceof EngineUnreachableError;
      if (options.reconnect !== true || !broken) throw error;
    }
    seen.lost();
    await sleep(pauseMs, undefined, { signal });
  }
}

/** Where a feed goes on after it was lost. */
class LastSeen {
  since: UnixNanos | undefined;
  #last: EventMessage | undefined;
  #lostSince = false;

  constructor(since: UnixNanos | undefined) {
    this.since = since;
  }

  lost(): void {
    this.#lostSince = true;
  }

  /** The event, unless it was seen before; after a loss with the gap in front. */
  *take(event: EventMessage): Generator<EventFeedItem, void, undefined> {
    const last = this.#last;
    if (this.#lostSince) yield { kind: 'gap', since: new Date((last?.timeNano ?? 0) / 1e6) };
    this.#lostSince = false;
    if (last !== undefined && sameEvent(event, last)) return;
    this.#last = event;
    // The engine compares nanoseconds, which a double does not hold: asking from the millisecond misses none.
    this.since = BigInt(Math.floor(event.timeNano / 1e6)) * NANOS_PER_MS;
    yield { kind: 'event', event };
  }
}

function sameEvent(a: EventMessage, b: EventMessage): boolean {
  return a.timeNano === b.timeNano && a.Action === b.Action && a.Actor.ID === b.Actor.ID;
}
