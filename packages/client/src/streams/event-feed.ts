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
export async function* followEvents(open: OpenEvents, options: EventOptions): AsyncGenerator<EventFeedItem, void, undefined> {
  const signal = options.signal ?? new AbortController().signal;
  let since = options.since;
  let last: EventMessage | undefined;
  let pauseMs = RECONNECT_MS_MIN;
  for (let attempt = 0; ; attempt += 1) {
    try {
      let fresh = attempt > 0;
      for await (const event of open(since, signal)) {
        if (fresh) yield { kind: 'gap', since: new Date(last === undefined ? 0 : last.timeNano / 1e6) };
        fresh = false;
        pauseMs = RECONNECT_MS_MIN;
        if (last !== undefined && sameEvent(event, last)) continue;
        last = event;
        since = BigInt(Math.floor(event.timeNano / 1e6)) * NANOS_PER_MS;
        yield { kind: 'event', event };
      }
      if (options.reconnect !== true || options.until !== undefined) return;
    } catch (error) {
      signal.throwIfAborted();
      const broken = error instanceof ConnectionLostError || error instanceof EngineUnreachableError;
      if (options.reconnect !== true || !broken) throw error;
    }
    await sleep(pauseMs, undefined, { signal });
    pauseMs = Math.min(pauseMs * 2, RECONNECT_MS_MAX);
  }
}

function sameEvent(a: EventMessage, b: EventMessage): boolean {
  return a.timeNano === b.timeNano && a.Action === b.Action && a.Actor.ID === b.Actor.ID;
}
