import { type EventMessage, type Filters, isEngineError, NANOS_PER_MS, type UnixNanos } from '@fairlead/protocol';
import { setTimeout as sleep } from 'node:timers/promises';

export interface EventOptions {
  readonly since?: UnixNanos | undefined;
  readonly until?: UnixNanos | undefined;
  readonly filters?: Filters | undefined;
  /** Goes on after the connection broke or the engine was started again. */
  readonly reconnect?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Something happened. */
export interface EventItem {
  readonly kind: 'event';
  readonly event: EventMessage;
}

/** The feed was lost and is there again: look at everything anew, because engines keep few past events. */
export interface GapItem {
  readonly kind: 'gap';
  /** When the last event before it was, by the engine's clock; undefined when there was none. */
  readonly since: Date | undefined;
}

/** The engine listens: what happens from now on is not missed. Podman says so only with the first event. */
export interface OpenItem {
  readonly kind: 'open';
}

export type EventFeedItem = EventItem | GapItem;

/** Pause before the next attempt; doubles up to the maximum and starts over when the feed is open. */
const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 5_000;

/** Asks for a feed; resolves when the engine has it open. */
export type OpenEvents = (since: UnixNanos | undefined, signal: AbortSignal) => Promise<AsyncIterable<EventMessage>>;

/**
 * Follows events. With `reconnect` it goes on from the last one seen, after a `gap`, however long the engine is away.
 *
 * @throws ConnectionLostError, EngineUnreachableError without `reconnect`; the signal's reason when aborted.
 */
export async function* followEvents(
  open: OpenEvents,
  options: EventOptions,
): AsyncGenerator<EventFeedItem, void, undefined> {
  for await (const item of openEvents(open, options)) if (item.kind !== 'open') yield item;
}

/** As `followEvents`, and says when the feed is open for the first time. */
export async function* openEvents(
  open: OpenEvents,
  options: EventOptions,
): AsyncGenerator<EventFeedItem | OpenItem, void, undefined> {
  const signal = options.signal ?? new AbortController().signal;
  const seen = new SeenEvents(options.since);
  for (let [pauseMs, wasOpen] = [RECONNECT_MS_MIN, false]; ; pauseMs = Math.min(pauseMs * 2, RECONNECT_MS_MAX)) {
    try {
      const events = await open(seen.since, signal);
      if (wasOpen) seen.expectRepeats();
      yield wasOpen ? { kind: 'gap', since: seen.last } : { kind: 'open' };
      [pauseMs, wasOpen] = [RECONNECT_MS_MIN, true];
      yield* seen.newOf(events);
      if (options.reconnect !== true || options.until !== undefined) return;
    } catch (error) {
      signal.throwIfAborted();
      // Lost, not reachable, or reachable and not ready: all of these pass.
      if (options.reconnect !== true || !isEngineError(error) || error.kind !== 'unavailable') throw error;
    }
    await sleep(pauseMs, undefined, { signal });
  }
}

/** Where a feed goes on after it was lost, and what of that it has told already. */
class SeenEvents {
  since: UnixNanos | undefined;
  last: Date | undefined;
  /** Those of the last millisecond. */
  readonly #seen = new Set<string>();
  #repeats = false;

  constructor(since: UnixNanos | undefined) {
    this.since = since;
  }

  /** The feed was asked for from the last millisecond on: what happened in it comes again. */
  expectRepeats(): void {
    this.#repeats = true;
  }

  async *newOf(events: AsyncIterable<EventMessage>): AsyncGenerator<EventItem, void, undefined> {
    for await (const event of events) if (this.#isNew(event)) yield { kind: 'event', event };
  }

  #isNew(event: EventMessage): boolean {
    const { timeNano, Action, Actor } = event;
    const key = `${timeNano} ${Action} ${Actor.ID}`;
    const ms = Math.floor(timeNano / 1e6);
    if (ms !== this.last?.getTime()) {
      this.#seen.clear();
      this.#repeats = false;
    }
    if (this.#repeats && this.#seen.has(key)) return false;
    this.#seen.add(key);
    this.last = new Date(ms);
    // The engine compares nanoseconds, which a double does not hold: asking from the millisecond misses none.
    this.since = BigInt(ms) * NANOS_PER_MS;
    return true;
  }
}
