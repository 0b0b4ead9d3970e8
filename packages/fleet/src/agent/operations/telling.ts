import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AgentEvent,
  AgentFinalState,
  FleetFailure,
  FleetOutcome,
  FleetPhase,
  FleetState,
} from '@fairlead/protocol/fleet';
import type { HostClock } from '../../lib/host-clock.ts';
import type { Terms } from '../executor/terms.ts';
import type { Journal } from '../journal/journal.ts';
import { endOf, type JournalEntry, type JournalRecord, type StartEvidence, type Step } from '../journal/record.ts';

/** What telling needs. */
export interface TellingDeps {
  readonly journal: Journal;
  readonly clock: HostClock;
  /** Called when there is something new for the hub. `unwritten`: an end that the journal could not take yet. */
  readonly told: (operationId: string, unwritten?: AgentEvent) => void;
  /** Ends the trying when the agent leaves. */
  readonly leaving: AbortSignal;
}

/** Pause before an end is offered to a full disk again. */
const TRY_AGAIN_MS = 1_000;
/** Of one operation; an engine that flaps does not fill the journal. */
const PHASES_MAX = 32;

type Note =
  | { readonly kind: 'phase'; readonly phase: FleetPhase }
  | { readonly kind: 'overdue'; readonly failure: FleetFailure };

/** What is told of one operation, in order: every event is in the journal before the hub can hear it. Nothing follows an end. */
export class Telling {
  readonly operationId: string;
  readonly #deps: TellingDeps;
  readonly #receivedMs: number;
  readonly #events: AgentEvent[];
  readonly #listeners = new Set<() => void>();
  #last: Promise<unknown> = Promise.resolve();
  #isEnding: boolean;

  constructor(deps: TellingDeps, entry: JournalEntry) {
    this.#deps = deps;
    this.operationId = entry.operationId;
    this.#events = [...entry.events];
    this.#isEnding = endOf(entry) !== undefined;
    const { receivedAt } = entry;
    // After a boot of the host nobody knows how much time has passed: it goes on from the last event.
    const lastAtMs = entry.events.at(-1)?.atMs ?? 0;
    this.#receivedMs = receivedAt.bootId === deps.clock.bootId ? receivedAt.ms : deps.clock.nowMs() - lastAtMs;
  }

  /** @throws when the journal cannot take it. */
  async accepted({ graceMs, boundMs, phases }: Terms): Promise<void> {
    await this.#inOrder(async () => {
      const event = { ...this.#stamp(), kind: 'accepted', graceMs, boundMs, phases } as const;
      await this.#write(event, { kind: 'PHASE', op: this.operationId, event });
    });
  }

  /** Resolves when it is on disk: only then may the engine be asked. @throws when the journal cannot take it. */
  async started(evidence: StartEvidence): Promise<void> {
    await this.#inOrder(async () => {
      const event = { ...this.#stamp(), kind: 'started' } as const;
      await this.#write(event, { kind: 'STARTED', op: this.operationId, event, evidence });
    });
  }

  /** @throws when the journal cannot take it. */
  async step(step: Step): Promise<void> {
    await this.#inOrder(() => this.#deps.journal.append({ kind: 'STEP', op: this.operationId, step }));
  }

  /** A phase that was reached; the same one twice is told once. One that cannot be written is left out. */
  phase(phase: FleetPhase): void {
    const phases = this.#events.filter((event) => event.kind === 'phase');
    if (this.#isEnding || phases.length >= PHASES_MAX) return;
    this.#leavingOut({ kind: 'phase', phase });
  }

  /** The engine is late, or away. Told once. */
  overdue(failure: FleetFailure): void {
    this.#leavingOut({ kind: 'overdue', failure });
  }

  /** The end. While the disk is full the hub hears of it all the same; it resolves when it is on disk, or the agent leaves. */
  async done(state: AgentFinalState, outcome: FleetOutcome): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#inOrder(async () => {
      const event = { ...this.#stamp(), kind: 'done', state, outcome } as const;
      for (let isFirst = true; !this.#deps.leaving.aborted; isFirst = false) {
        try {
          return await this.#write(event, { kind: 'DONE', op: this.operationId, event });
        } catch {
          // The journal has said why. Should the agent die now, the next one works the end out by looking.
          if (isFirst) this.#deps.told(this.operationId, event);
          await sleep(TRY_AGAIN_MS, undefined, { signal: this.#deps.leaving }).catch(() => {});
        }
      }
    });
  }

  /** The phase it is in; null: none told, or over. */
  get lastPhase(): FleetPhase | null {
    const last = this.#events.findLast((event) => event.kind === 'phase');
    return last?.kind === 'phase' && !this.#isEnding ? last.phase : null;
  }

  /** How far it is, in the hub's words. */
  get state(): FleetState {
    const last = this.#events.findLast((event) => event.kind !== 'phase' && event.kind !== 'overdue');
    if (last === undefined) return 'CLAIMED';
    if (last.kind === 'done') return last.state;
    return last.kind === 'started' ? 'RUNNING' : 'ACCEPTED';
  }

  /** Every event so far and to come, to the end. */
  async *follow(signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    for (let at = 0; ; at += 1) {
      while (at >= this.#events.length) await this.#news(signal);
      const event = this.#events[at];
      if (event === undefined) return;
      yield event;
      if (event.kind === 'done') return;
    }
  }

  async #news(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(signal.reason);
    this.#listeners.add(resolve);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      this.#listeners.delete(resolve);
      signal.removeEventListener('abort', abort);
    }
  }

  #leavingOut(told: Note): void {
    const isTold = (): boolean =>
      this.#events.some((event) =>
        told.kind === 'phase' ? event.kind === 'phase' && event.phase === told.phase : event.kind === 'overdue',
      );
    const op = this.operationId;
    void this.#inOrder(async () => {
      if (isTold() || this.#events.at(-1)?.kind === 'done') return;
      const event = { ...this.#stamp(), ...told };
      await this.#write(event, { kind: 'PHASE', op, event });
      // The journal has said why.
    }).catch(() => {});
  }

  #stamp(): { readonly seq: number; readonly atMs: number } {
    const atMs = Math.max(0, Math.round(this.#deps.clock.nowMs() - this.#receivedMs));
    return { seq: (this.#events.at(-1)?.seq ?? 0) + 1, atMs };
  }

  /** A number is used up only by what is on disk. */
  async #write(event: AgentEvent, record: JournalRecord): Promise<void> {
    await this.#deps.journal.append(record);
    this.#events.push(event);
    this.#deps.told(this.operationId);
    for (const listener of this.#listeners) listener();
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }
}
