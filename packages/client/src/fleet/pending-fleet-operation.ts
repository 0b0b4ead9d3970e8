import type { CancelAnswer, FleetOperation, FleetOperationEvent } from '@fairlead/protocol/fleet';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HubCalls } from './hub-calls.ts';
import { HubConnectionLostError, HubUnreachableError } from './hub-errors.ts';
import { sseFeed } from './sse-feed.ts';

/** How long somebody listens. */
export interface FleetListening {
  /** Milliseconds; without end when absent. */
  readonly patienceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The longest that one request waits at the hub. */
const WAIT_MS_MAX = 30_000;
/** Between two attempts to reach a hub that went away, and how long it may be away: then whoever waits is told. */
const AGAIN_MS = 250;
const AWAY_MS_MAX = 60_000;

/** An operation that the hub has on record, whether somebody listens or not. */
export class PendingFleetOperation {
  readonly #calls: HubCalls;
  #latest: FleetOperation;

  constructor(calls: HubCalls, operation: FleetOperation) {
    this.#calls = calls;
    this.#latest = operation;
  }

  get id(): string {
    return this.#latest.id;
  }

  /** Submitting with it again gives this operation. */
  get key(): string {
    return this.#latest.key;
  }

  /** As it was when it was last looked at. */
  get latest(): FleetOperation {
    return this.#latest;
  }

  get isEnded(): boolean {
    return this.#latest.endedAt !== null;
  }

  /**
   * Waits for its end; a hub that goes away meanwhile is asked again when it is back.
   *
   * @returns the operation: ended, or as far as it was when `patienceMs` ended.
   * @throws HubRefusedError; HubUnreachableError when the hub was away for a minute: the operation goes on; the signal's reason.
   */
  async wait(listening: FleetListening = {}): Promise<FleetOperation> {
    const untilMs = performance.now() + (listening.patienceMs ?? Infinity);
    const signal = listening.signal ?? new AbortController().signal;
    let heardMs = performance.now();
    while (!this.isEnded) {
      const waitMs = Math.floor(Math.min(WAIT_MS_MAX, Math.max(0, untilMs - performance.now())));
      const path = `/v1/operations/${this.id}`;
      const call = { method: 'GET', path, query: { waitMs } } as const;
      const mayBeAway = performance.now() - heardMs < AWAY_MS_MAX;
      const asked = this.#calls.ask<FleetOperation>(call, signal);
      const now = mayBeAway ? await goneIsUndefined(asked) : await asked;
      if (now !== undefined) heardMs = performance.now();
      this.#latest = now ?? this.#latest;
      if (performance.now() >= untilMs) break;
      if (now === undefined) await sleep(AGAIN_MS, undefined, { signal });
    }
    return this.#latest;
  }

  /** What happened to it, and what follows, until its end; over a hub that goes away and comes back. */
  async *follow(
    listening: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<FleetOperationEvent> {
    const signal = listening.signal ?? new AbortController().signal;
    let after = listening.after ?? 0;
    let ended = false;
    while (!ended) {
      const before = after;
      for await (const event of this.#eventsUntilCut(after, signal)) {
        after = event.seq;
        ended = event.kind === 'ended';
        yield event;
      }
      // Whoever starts behind the last event sees none.
      ended ||= after === before && (await this.wait({ patienceMs: 0, signal })).endedAt !== null;
      if (!ended) await sleep(AGAIN_MS, undefined, { signal });
    }
  }

  /** Asks to cancel it; the answer is what is true. */
  async cancel(signal: AbortSignal = new AbortController().signal): Promise<CancelAnswer> {
    return await this.#calls.ask({ method: 'POST', path: `/v1/operations/${this.id}/cancel` }, signal);
  }

  /** One stream of them. It ends with the operation, or with its connection. */
  async *#eventsUntilCut(after: number, signal: AbortSignal): AsyncGenerator<FleetOperationEvent> {
    try {
      const call = { method: 'GET', path: `/v1/operations/${this.id}/events`, query: { after } } as const;
      for await (const { data } of sseFeed<FleetOperationEvent>(await this.#calls.open(call, signal))) yield data;
    } catch (error) {
      signal.throwIfAborted();
      if (!isGone(error)) throw error;
    }
  }
}

/** True for errors after which the same question may be asked again. */
export function isGone(error: unknown): boolean {
  return error instanceof HubConnectionLostError || error instanceof HubUnreachableError;
}

async function goneIsUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
