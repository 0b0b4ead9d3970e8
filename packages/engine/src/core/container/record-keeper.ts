import { EngineError, isEngineError } from '@fairlead/protocol';
import type { Clock } from '../ports/clock.ts';
import type { Announcement, ContainerEffect, ContainerEvent } from './machine.ts';
import type { ContainerRecord } from './record.ts';

export interface RecordKeeperDeps {
  readonly clock: Clock;
  /** Durable when it returns, before any effect runs: after a crash the record, not the process, says what we owed. */
  readonly commit: (record: ContainerRecord, announcements: readonly Announcement[]) => void;
  /** A change that has happened could not be stored; it is tried again until it is. Told once for each such time. */
  readonly onNotStored: (record: ContainerRecord, cause: unknown) => void;
}

/** How long after a refusal of the store, by a full disk for one, it is tried again. Our own figure. */
export const STORE_AGAIN_MS = 1_000;

/** What has happened and could not be stored: to be told, and to be done, once it is. */
interface Unstored {
  readonly announcements: readonly Announcement[];
  readonly effects: readonly ContainerEffect[];
}

/**
 * One container's record, and how much of it the store has.
 *
 * A wish that cannot be stored is refused. A fact counts all the same: it is stored as soon as that works again, and what
 * would take away its traces waits until then.
 */
export class RecordKeeper implements Disposable {
  readonly #deps: RecordKeeperDeps;
  readonly #again: () => void;
  #record: ContainerRecord;
  #unstored: Unstored | undefined;
  #timer: Disposable | undefined;

  /** `again` is called when it is time for {@link storeAgain}. */
  constructor(record: ContainerRecord, deps: RecordKeeperDeps, again: () => void) {
    this.#record = record;
    this.#deps = deps;
    this.#again = again;
  }

  get record(): ContainerRecord {
    return this.#record;
  }

  /** A change that need not be durable before the next one is. */
  note(record: ContainerRecord): void {
    this.#record = record;
  }

  /**
   * Stores a change of which nothing has happened yet.
   * @returns effects of earlier facts that may be performed now.
   * @throws EngineError, see {@link isNotStored}: nothing has changed then.
   */
  wish(record: ContainerRecord, announcements: readonly Announcement[]): readonly ContainerEffect[] {
    const { announcements: untold = [], effects = [] } = this.#unstored ?? {};
    try {
      this.#deps.commit(record, [...untold, ...announcements]);
    } catch (cause) {
      throw notStored(cause);
    }
    this.#record = record;
    this.#unstored = undefined;
    return effects;
  }

  /** Takes in what has happened, stored or not. @returns as {@link wish}. */
  fact(record: ContainerRecord, announcements: readonly Announcement[]): readonly ContainerEffect[] {
    try {
      return this.wish(record, announcements);
    } catch (cause) {
      if (!isNotStored(cause)) throw cause;
      if (this.#unstored === undefined) this.#deps.onNotStored(record, cause);
      const { announcements: untold = [], effects = [] } = this.#unstored ?? {};
      this.#record = record;
      this.#unstored = { announcements: [...untold, ...announcements], effects };
      this.#timer?.[Symbol.dispose]();
      this.#timer = this.#deps.clock.after(STORE_AGAIN_MS, this.#again);
      return [];
    }
  }

  /** Tries to store what could not be. @returns as {@link wish}. */
  storeAgain(): readonly ContainerEffect[] {
    return this.#unstored === undefined ? [] : this.fact(this.#record, []);
  }

  /** Keeps an effect for later, while something it would take the traces of is not stored. */
  defers(effect: ContainerEffect): boolean {
    if (this.#unstored === undefined || !takesTraces(effect)) return false;
    this.#unstored = { ...this.#unstored, effects: [...this.#unstored.effects, effect] };
    return true;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}

/**
 * Events that have happened already when the actor hears of them: the record may lag behind them, never deny them. All
 * others are wishes.
 */
export function isFact({ type }: ContainerEvent): boolean {
  switch (type) {
    case 'exited':
    case 'out-of-memory':
    case 'launch-failed':
    case 'freeze-failed':
    case 'remove-failed':
    // The promise of a stop: SIGKILL comes, whatever the disk is like.
    case 'grace-expired':
      return true;
    case 'start-requested':
    // A process that nobody would know of after a crash is ended again instead.
    case 'launched':
    case 'signal-requested':
    case 'pause-requested':
    case 'unpause-requested':
    case 'restart-due':
    case 'remove-requested':
      return false;
    default:
      return type satisfies never;
  }
}

/** Whether a wish failed only because it could not be stored: it may succeed later. */
export function isNotStored(error: unknown): boolean {
  return isEngineError(error) && error.details['stored'] === false;
}

/** From what these take away a restarted engine would learn the truth; the others do no harm. */
function takesTraces({ effect }: ContainerEffect): boolean {
  return effect === 'clean-up-run' || effect === 'remove-remains' || effect === 'launch' || effect === 'auto-remove';
}

function notStored(cause: unknown): EngineError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const kind = isEngineError(cause) ? cause.kind : 'internal';
  return new EngineError(kind, message, { cause, details: { stored: false } });
}
