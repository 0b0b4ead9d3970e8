import { EngineError, nanosFromDate, dateFromNanos, type Filters, type UnixNanos } from '@fairlead/protocol';
import { BoundedQueue } from '../../lib/bounded-queue.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordLog } from '../ports/record-store.ts';
import type { EngineEvent } from './event.ts';
import { matchesFilters } from './filter.ts';

export interface EventQuery {
  readonly since: UnixNanos | undefined;
  readonly until: UnixNanos | undefined;
  readonly filters: Filters;
}

/** Docker keeps 256 in memory; ours survive a restart. Older ones are dropped. */
export const EVENTS_KEPT: number = 10_000;
/** How far a subscriber may fall behind before it is cut off. */
export const EVENTS_QUEUED_MAX: number = 10_000;
/** The log is trimmed once in so many events: trimming costs more than appending. */
const TRIM_EVERY = 1_000;

interface Subscriber {
  readonly query: EventQuery;
  readonly queue: BoundedQueue<EngineEvent>;
}

/** What happens, in order: persisted, then told to whoever listens. */
export class EventFeed {
  readonly #log: RecordLog<EngineEvent>;
  readonly #clock: Clock;
  readonly #subscribers = new Set<Subscriber>();
  readonly #afterCommit: (work: () => void) => void;
  #lastNanos: UnixNanos = 0n;
  #untrimmed = 0;

  /** @param afterCommit of the store that the log is in: nobody is told what is not durable yet. */
  constructor(log: RecordLog<EngineEvent>, clock: Clock, afterCommit: (work: () => void) => void = (work) => work()) {
    this.#log = log;
    this.#clock = clock;
    this.#afterCommit = afterCommit;
  }

  get listeners(): number {
    return this.#subscribers.size;
  }

  /** Durable when it returns, or with the transaction under way. */
  publish(event: Omit<EngineEvent, 'timeNanos'>): void {
    const at = this.#clock.now();
    const nanos = nanosFromDate(at);
    this.#lastNanos = nanos > this.#lastNanos ? nanos : this.#lastNanos + 1n;
    const stamped = { ...event, timeNanos: this.#lastNanos.toString() };
    this.#log.append(stamped, dateFromNanos(this.#lastNanos));
    this.#trim();
    this.#afterCommit(() => this.#tell(stamped));
  }

  /**
   * Past events when `since` or `until` is given, then those that happen, until `until` or until `signal` aborts; none
   * is missed in between. The subscription begins with the call, not with the first pull.
   *
   * @throws EngineError 'invalid-argument' when `since` is after `until`; 'unavailable' out of the iteration when the
   *   subscriber fell more than `EVENTS_QUEUED_MAX` behind.
   */
  subscribe(query: EventQuery, signal: AbortSignal): AsyncIterable<EngineEvent> {
    const { since, until } = query;
    if (since !== undefined && until !== undefined && since > until) {
      throw new EngineError(
        'invalid-argument',
        `\`since\` time (${since / 1_000_000_000n}) cannot be after \`until\` time (${until / 1_000_000_000n})`,
      );
    }
    const past = since === undefined && until === undefined ? [] : this.#past(query);
    const now = nanosFromDate(this.#clock.now());
    if (until !== undefined && until <= now) return fromArray(past);
    const queue = new BoundedQueue<EngineEvent>(EVENTS_QUEUED_MAX, () => {
      return new EngineError('unavailable', `event subscriber fell more than ${EVENTS_QUEUED_MAX} events behind`);
    });
    return this.#follow(
      { query, queue },
      { past, signal, endMs: until === undefined ? undefined : Number((until - now) / 1_000_000n) },
    );
  }

  #tell(event: EngineEvent): void {
    for (const { query, queue } of this.#subscribers) {
      if (matchesFilters(event, query.filters)) queue.push(event);
    }
  }

  #follow(
    subscriber: Subscriber,
    options: {
      readonly past: readonly EngineEvent[];
      readonly signal: AbortSignal;
      readonly endMs: number | undefined;
    },
  ): AsyncIterable<EngineEvent> {
    const { queue } = subscriber;
    const end = (): void => {
      this.#subscribers.delete(subscriber);
      options.signal.removeEventListener('abort', end);
      timer?.[Symbol.dispose]();
      queue.end();
    };
    this.#subscribers.add(subscriber);
    const timer = options.endMs === undefined ? undefined : this.#clock.after(options.endMs, end);
    options.signal.addEventListener('abort', end, { once: true });
    if (options.signal.aborted) end();
    return chain(options.past, queue, end);
  }

  #past({ since, until, filters }: EventQuery): readonly EngineEvent[] {
    const from = since === undefined ? undefined : dateFromNanos(since);
    const to = until === undefined ? undefined : dateFromNanos(until);
    return this.#log
      .between(from, to, EVENTS_KEPT)
      .map(({ record }) => record)
      .filter((event) => {
        const nanos = BigInt(event.timeNanos);
        if (since !== undefined && nanos < since) return false;
        if (until !== undefined && nanos > until) return false;
        return matchesFilters(event, filters);
      });
  }

  #trim(): void {
    this.#untrimmed += 1;
    if (this.#untrimmed < TRIM_EVERY) return;
    this.#untrimmed = 0;
    this.#log.trim(EVENTS_KEPT);
  }
}

async function* chain(
  past: readonly EngineEvent[],
  live: BoundedQueue<EngineEvent>,
  release: () => void,
): AsyncGenerator<EngineEvent> {
  try {
    yield* past;
    yield* live;
  } finally {
    release();
  }
}

async function* fromArray(events: readonly EngineEvent[]): AsyncGenerator<EngineEvent> {
  yield* events;
}
