import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentEvent } from '@fairlead/protocol/fleet';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import type { Journal } from '../journal/journal.ts';
import type { HubLink } from './hub-link.ts';

export interface OutboxDeps {
  readonly journal: Journal;
  readonly link: HubLink;
  readonly log: FleetLog;
  readonly leaving: AbortSignal;
}

/** A hub that asks for events this agent no longer has is told again after a while: its records may have been put back. */
const STUCK_MS = 60_000;
/** An operation that is over by then is told in one message. Nobody sees that a phase is told so much later. */
const GATHER_MS = 20;
/** Of one operation in one message; the hub takes four times as many. */
const EVENTS_AT_ONCE = 16;

interface Sending {
  ackedSeq: number;
  /** An end that the journal could not take. */
  unwritten: AgentEvent | undefined;
  wake: () => void;
}

/** Tells the hub every event of every operation, in order and in as few messages as can be, until it has stored them. What is not acknowledged is in the journal. */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #sending = new Map<string, Sending>();
  readonly #work = new Set<Promise<void>>();

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** There is something new of this operation. */
  told(operationId: string, unwritten?: AgentEvent): void {
    const known = this.#sending.get(operationId);
    if (known !== undefined) {
      known.unwritten = unwritten ?? known.unwritten;
      known.wake();
      return;
    }
    const ackedSeq = this.#deps.journal.entry(operationId)?.ackedSeq ?? 0;
    const sending: Sending = { ackedSeq, unwritten, wake: () => {} };
    this.#sending.set(operationId, sending);
    const sent = this.#send(operationId, sending).catch((error) => {
      if (!this.#deps.leaving.aborted) this.#deps.log.failure('agent.outbox.broken', error, { operationId });
    });
    const work = sent.finally(() => {
      this.#sending.delete(operationId);
      this.#work.delete(work);
    });
    this.#work.add(work);
  }

  /** Resolves when nothing is being sent; asked after `leaving` has aborted. */
  async left(): Promise<void> {
    await Promise.all(this.#work);
  }

  async #send(operationId: string, sending: Sending): Promise<void> {
    const { leaving } = this.#deps;
    for (;;) {
      leaving.throwIfAborted();
      if (this.#news(operationId, sending).length === 0) {
        await this.#more(operationId, sending);
        continue;
      }
      const events = await this.#gathered(operationId, sending);
      await this.#tell(operationId, sending, events);
      const last = events.at(-1);
      if (last?.kind !== 'done' || sending.ackedSeq < last.seq) continue;
      // Without its end in the journal there is nothing to close: the next agent finds the hub's record closed.
      if (last !== sending.unwritten) await this.#acknowledge(operationId, sending.ackedSeq);
      return;
    }
  }

  /** What is to be told: all of an operation that is over, and else what there is after a moment. */
  async #gathered(operationId: string, sending: Sending): Promise<readonly AgentEvent[]> {
    const untilMs = performance.now() + GATHER_MS;
    for (;;) {
      const events = this.#news(operationId, sending);
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0 || events.length >= EVENTS_AT_ONCE || events.at(-1)?.kind === 'done') return events;
      await this.#woken(sending, leftMs);
    }
  }

  #news(operationId: string, { ackedSeq, unwritten }: Sending): readonly AgentEvent[] {
    const events = this.#deps.journal.entry(operationId)?.events.filter(({ seq }) => seq > ackedSeq) ?? [];
    const nextSeq = (events.at(-1)?.seq ?? ackedSeq) + 1;
    return (unwritten?.seq === nextSeq ? [...events, unwritten] : events).slice(0, EVENTS_AT_ONCE);
  }

  async #tell(operationId: string, sending: Sending, events: readonly AgentEvent[]): Promise<void> {
    const { link, leaving, log } = this.#deps;
    const seq = events.at(-1)?.seq ?? 0;
    const stored = await link.tell(operationId, events, leaving);
    if (stored >= seq || this.#has(operationId, stored + 1)) {
      sending.ackedSeq = stored;
      return;
    }
    log.warning('agent.outbox.stuck', { operationId, stored, seq });
    await sleep(STUCK_MS, undefined, { signal: leaving });
  }

  #has(operationId: string, seq: number): boolean {
    return this.#deps.journal.entry(operationId)?.events.some((event) => event.seq === seq) ?? false;
  }

  /** Waits for the next event; what the hub has by then is noted, so that a new agent need not send it again. */
  async #more(operationId: string, sending: Sending): Promise<void> {
    await this.#acknowledge(operationId, sending.ackedSeq);
    if (this.#news(operationId, sending).length === 0) await this.#woken(sending);
  }

  /** Resolves when there is something new, or `ms` are over. @throws the reason of `leaving` */
  async #woken(sending: Sending, ms?: number): Promise<void> {
    const { leaving } = this.#deps;
    leaving.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(leaving.reason);
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    sending.wake = resolve;
    leaving.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      leaving.removeEventListener('abort', abort);
      sending.wake = () => {};
    }
  }

  async #acknowledge(op: string, seq: number): Promise<void> {
    const { journal, log } = this.#deps;
    const acked = journal.entry(op)?.ackedSeq;
    if (acked === undefined || acked >= seq) return;
    try {
      await journal.append({ kind: 'ACKED', op, seq });
    } catch (error) {
      // It will be sent again, and the hub knows it.
      log.warning('agent.outbox.not-noted', { op, why: wordsOf(error) });
    }
  }
}
