import { randomBytes } from 'node:crypto';
import { EngineError, type Operation, type OperationOutcome } from '@fairlead/protocol';
import { BoundedQueue } from '../../lib/bounded-queue.ts';
import type { Log } from '../../lib/log.ts';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordLog } from '../ports/record-store.ts';
import type { OperationBeginner, OperationEnd, OperationHandle, OperationStart } from './operation-handle.ts';

/** Older operations are forgotten. */
export const OPERATIONS_KEPT: number = 10_000;
/** How many a list shows at most. */
export const OPERATIONS_LISTED_MAX: number = 1_000;
/** The log is trimmed once in so many operations: trimming costs more than appending. */
const TRIM_EVERY = 1_000;

/** How far whoever follows may fall behind before it is cut off. */
export const OPERATIONS_QUEUED_MAX: number = 1_000;

/** Which container: the one that this reference stands for, or stood for, because the ledger remembers those that are removed. */
export interface OperationSubject {
  readonly ref: string;
  /** Undefined: no container has that name or id now. */
  readonly id: string | undefined;
}

interface Listener {
  readonly about: OperationSubject | undefined;
  readonly queue: BoundedQueue<Operation>;
}

interface LiveOperation {
  /** Undefined while the store has not taken it. */
  sequence: number | undefined;
  operation: Operation;
  readonly startedMs: number;
  readonly done: PromiseWithResolvers<Operation>;
  /** Resolves with the next phase; then there is another one. */
  changed: PromiseWithResolvers<void>;
}

/**
 * Every request that changes something: who asked, for how long, how far it is, how it ended, who hung up.
 *
 * Nothing is refused because it cannot be written down here: on a full disk a stop is still a stop.
 */
export class OperationLedger implements OperationBeginner {
  readonly #log: RecordLog<Operation>;
  readonly #clock: Clock;
  readonly #report: Log;
  readonly #live = new Map<string, LiveOperation>();
  readonly #listeners = new Set<Listener>();
  #untrimmed = 0;

  constructor(log: RecordLog<Operation>, clock: Clock, report: Log) {
    this.#log = log;
    this.#clock = clock;
    this.#report = report;
  }

  begin(start: OperationStart): OperationHandle {
    const at = this.#clock.now();
    // Two under way by one name would be told as one.
    const isTaken = start.id !== undefined && this.#live.has(start.id);
    const operation = newOperation({ ...start, id: isTaken ? undefined : start.id }, at);
    const live: LiveOperation = {
      sequence: undefined,
      operation,
      startedMs: this.#clock.monotonicMs(),
      done: Promise.withResolvers(),
      changed: Promise.withResolvers(),
    };
    this.#live.set(operation.Id, live);
    this.#store(live);
    return this.#handle(live);
  }

  /** Newest first; `limit` at most, and `OPERATIONS_LISTED_MAX`. */
  list(query: {
    readonly limit: number | undefined;
    readonly about: OperationSubject | undefined;
  }): readonly Operation[] {
    const limit = Math.min(Math.max(query.limit ?? OPERATIONS_LISTED_MAX, 0), OPERATIONS_LISTED_MAX);
    const searched = query.about === undefined ? limit : OPERATIONS_KEPT;
    return this.#log
      .between(undefined, undefined, searched)
      .map(({ record }) => this.#live.get(record.Id)?.operation ?? record)
      .filter((operation) => isAbout(operation, query.about))
      .toReversed()
      .slice(0, limit);
  }

  /** @throws EngineError 'not-found'. */
  get(id: string): Operation {
    const live = this.#live.get(id);
    if (live !== undefined) return live.operation;
    const found = this.#log.between(undefined, undefined, OPERATIONS_KEPT).find(({ record }) => record.Id === id);
    if (found === undefined) throw new EngineError('not-found', `No such operation: ${id}`);
    return found.record;
  }

  /**
   * Resolves with the operation when it is over, at once if it is.
   * @throws EngineError 'not-found'; signal.reason when aborted first: the operation goes on.
   */
  async wait(id: string, signal: AbortSignal): Promise<Operation> {
    const live = this.#live.get(id);
    return live === undefined ? this.get(id) : await waitOrAbort(live.done.promise, signal);
  }

  /**
   * Every operation once it is over, and before that when its caller hangs up. It begins with the call, not with the first pull, and ends
   * when `signal` aborts.
   *
   * @throws EngineError 'unavailable' out of the iteration when whoever listens fell more than `OPERATIONS_QUEUED_MAX` behind.
   */
  feed(about: OperationSubject | undefined, signal: AbortSignal): AsyncIterable<Operation> {
    const queue = new BoundedQueue<Operation>(OPERATIONS_QUEUED_MAX, () => {
      return new EngineError('unavailable', `fell more than ${OPERATIONS_QUEUED_MAX} operations behind`);
    });
    const listener: Listener = { about, queue };
    const end = (): void => {
      this.#listeners.delete(listener);
      queue.end();
    };
    this.#listeners.add(listener);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    return untilReleased(queue, end);
  }

  /**
   * Yields the operation as it is, again whenever it enters a phase, and once it is over, then ends.
   * @throws EngineError 'not-found'; signal.reason when aborted first.
   */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<Operation, void, undefined> {
    for (let phases = 0; ;) {
      const live = this.#live.get(id);
      const changed = live?.changed.promise;
      const operation = this.get(id);
      if (operation.Phases.length > phases) yield operation;
      if (changed === undefined) return;
      phases = operation.Phases.length;
      await waitOrAbort(changed, signal);
    }
  }

  /** After a start of the engine: what was under way when the last one ended is written down as such. */
  markInterrupted(): void {
    for (const { sequence, record } of this.#log.between(undefined, undefined, OPERATIONS_KEPT)) {
      if (record.Outcome !== null) continue;
      const tookMs = Math.max(0, this.#clock.now().getTime() - Date.parse(record.StartedAt));
      const operation: Operation = { ...record, Outcome: { Result: 'interrupted', TookMs: tookMs } };
      this.#store({ sequence, operation });
    }
  }

  #handle(live: LiveOperation): OperationHandle {
    let evidence: Pick<OperationOutcome, 'Detail' | 'ExitCode'> = {};
    const elapsedMs = (): number => Math.round(this.#clock.monotonicMs() - live.startedMs);
    const change = (next: Partial<Operation>): void => {
      live.operation = { ...live.operation, ...next };
    };
    let boundMs: number | undefined;
    return {
      id: live.operation.Id,
      verb: live.operation.Verb,
      get boundMs() {
        return boundMs;
      },
      target: (target) => change({ Target: target }),
      grace: (ms) => change({ GraceMs: finiteOrNull(ms) }),
      bound: (ms) => {
        boundMs = ms;
        change({ BoundMs: finiteOrNull(ms) });
      },
      phase: (phase) => {
        if (live.operation.Phases.some((entry) => entry.Phase === phase)) return;
        change({ Phase: phase, Phases: [...live.operation.Phases, { Phase: phase, AtMs: elapsedMs() }] });
        tell(live);
        // A stop's steps are worth keeping even if the engine dies before its end; other verbs are over in no time.
        if (phase === 'grace' || phase === 'kill') this.#store(live);
      },
      stopped: ({ outcome, exitCode }) => {
        evidence = { Detail: outcome, ExitCode: exitCode };
      },
      callerLeft: () => {
        if (live.operation.CallerLeftAtMs !== null || live.operation.Outcome !== null) return;
        change({ CallerLeftAtMs: elapsedMs() });
        this.#store(live);
        this.#announce(live.operation);
      },
      end: (end) => this.#end(live, { end, evidence, tookMs: elapsedMs() }),
    };
  }

  #end(
    live: LiveOperation,
    how: {
      readonly end: OperationEnd;
      readonly evidence: Pick<OperationOutcome, 'Detail' | 'ExitCode'>;
      readonly tookMs: number;
    },
  ): void {
    if (live.operation.Outcome !== null) return;
    const { end, evidence, tookMs } = how;
    live.operation = {
      ...live.operation,
      Phase: 'done',
      Phases: [...live.operation.Phases, { Phase: 'done', AtMs: tookMs }],
      Outcome: {
        Result: end.outcome,
        ...evidence,
        ...(end.outcome === 'failed' ? { Error: end.message } : {}),
        TookMs: tookMs,
      },
    };
    this.#store(live);
    this.#live.delete(live.operation.Id);
    live.done.resolve(live.operation);
    tell(live);
    this.#announce(live.operation);
  }

  #announce(operation: Operation): void {
    for (const { about, queue } of this.#listeners) if (isAbout(operation, about)) queue.push(operation);
  }

  #store(live: Pick<LiveOperation, 'sequence' | 'operation'>): void {
    try {
      if (live.sequence !== undefined) return this.#log.replace(live.sequence, live.operation);
      live.sequence = this.#log.append(live.operation, new Date(live.operation.StartedAt));
      this.#trim();
    } catch (error) {
      this.#report.failure('operation.store.failed', error, { operationId: live.operation.Id });
    }
  }

  #trim(): void {
    this.#untrimmed += 1;
    if (this.#untrimmed < TRIM_EVERY) return;
    this.#untrimmed = 0;
    this.#log.trim(OPERATIONS_KEPT);
  }
}

/** Verbs begin with what they are about; those that do not are about containers. */
const TARGET_TYPES = ['exec', 'image', 'volume'] as const;

async function* untilReleased(queue: BoundedQueue<Operation>, release: () => void): AsyncGenerator<Operation> {
  try {
    yield* queue;
  } finally {
    release();
  }
}

/** A prefix of an id that is this long is hardly a name. Source: Docker shows 12 digits. */
const SHORT_ID = /^[0-9a-f]{12,64}$/;

function isAbout({ Target }: Operation, about: OperationSubject | undefined): boolean {
  if (about === undefined) return true;
  if (about.id !== undefined) return Target.Id === about.id;
  return Target.Name === about.ref || (SHORT_ID.test(about.ref) && Target.Id.startsWith(about.ref));
}

function tell(live: LiveOperation): void {
  live.changed.resolve();
  live.changed = Promise.withResolvers();
}

function newOperation({ id, verb, caller, budgetMs }: OperationStart, at: Date): Operation {
  return {
    Id: id ?? randomBytes(8).toString('hex'),
    Verb: verb,
    Target: {
      Type: TARGET_TYPES.find((type) => verb.startsWith(type)) ?? 'container',
      Id: '',
      Name: '',
    },
    Caller: {
      UserAgent: caller.userAgent,
      ...(caller.peer === undefined ? {} : { Pid: caller.peer.pid, Uid: caller.peer.uid, Gid: caller.peer.gid }),
      ...(caller.address === undefined ? {} : { Address: caller.address }),
    },
    StartedAt: at.toISOString(),
    BoundMs: null,
    ...(budgetMs === undefined ? {} : { BudgetMs: budgetMs }),
    Phase: 'accepted',
    Phases: [{ Phase: 'accepted', AtMs: 0 }],
    Outcome: null,
    CallerLeftAtMs: null,
  };
}

function finiteOrNull(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}
