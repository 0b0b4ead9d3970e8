import { hash } from 'node:crypto';
import type {
  AgentEvent,
  CancelAnswer,
  ClaimAnswer,
  FailureCode,
  FleetActor,
  FleetOperationEvent,
  HostId,
  SubmitOperation,
} from '@fairlead/protocol/fleet';
import { type HostClock, sinceMs } from '../../lib/host-clock.ts';
import type { FleetLog } from '../../lib/log.ts';
import { randomOperationId } from '../../lib/random-id.ts';
import type { HostRecord } from '../store/hosts-table.ts';
import type { OperationsTable } from '../store/operations-table.ts';
import { advance, noteCancel } from './advance.ts';
import { HubError } from './hub-error.ts';
import { claimAnswer, type LifeEvent, SUBMITTED } from './machine.ts';
import { OpenOperations } from './open-operations.ts';
import { isOpen, type OperationRecord } from './record.ts';
import { Watchers } from './watchers.ts';

/** How commands reach agents. Nothing here decides: what comes of it is told to the desk. */
export interface Delivery {
  /** Sends it; that nobody is there is told by `undeliverable`. */
  sendLive(record: OperationRecord): void;
  /** Puts it in its host's queue; sending again is harmless. @throws when it is not certain that it is there. */
  enqueue(record: OperationRecord): Promise<{ readonly sequence: number } | { readonly full: true }>;
  deleteQueued(sequence: number): Promise<void>;
  /** Asks the agent to cancel what it has claimed. @throws HubError 'UNAVAILABLE' when it does not answer. */
  cancel(host: HostId, operationId: string): Promise<CancelAnswer>;
}

/** What the desk works with. */
export interface DeskDeps {
  readonly table: OperationsTable;
  readonly clock: HostClock;
  readonly delivery: Delivery;
  readonly log: FleetLog;
  /** Told of every change that is on disk, with what it added to the history. */
  readonly changed: (record: OperationRecord, lines: readonly FleetOperationEvent[]) => void;
}

/** Who submits. */
export interface Submitter {
  readonly actor: FleetActor;
  /** Called when the operation is new, in the turn in which it is written: what this writes is in the same transaction. */
  readonly accepted?: (record: OperationRecord) => void;
}

/** A live command that nobody claimed within this is not delivered any more. Source: ours; a claim takes milliseconds. */
export const LIVE_CLAIM_MS = 5_000;
/** After a restart of the hub agents may take so long to come back before what was sent to them counts as undelivered. */
export const RESTART_CLAIM_MS = 15_000;
/** Start-by time of a queued command that names none. Source: fleet's contract. */
export const START_BY_MS: number = 3_600_000;
/** Between two attempts to put a command in its queue. */
const ENQUEUE_AGAIN_MS = 2_000;

/**
 * Where every operation is decided: one at a time in memory, on disk before anybody is told.
 *
 * It re-reads what is open when it is made, so a hub that was killed goes on where it was.
 */
export class OperationDesk {
  readonly #deps: DeskDeps;
  readonly #open = new OpenOperations();
  readonly #watchers = new Watchers();
  readonly #enqueuing = new Map<string, number>();
  /** Those that are not on disk as they are. */
  readonly #storing = new Map<string, OperationRecord>();
  readonly #startedMs: number;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.nowMs();
    for (const record of deps.table.open()) this.#open.put(record);
  }

  /**
   * Takes a command on and has it delivered; `wait` says when it is on disk. The same key gives the same operation.
   *
   * A live command is on its way before it is stored: nothing is started without a claim, and a claim is on disk behind it.
   *
   * @throws HubError 'KEY_CONFLICT'
   */
  async submit(host: HostRecord, request: SubmitOperation, by: Submitter): Promise<OperationRecord> {
    const fingerprint = request.key === undefined ? '' : fingerprintOf(host.id, request);
    const known = request.key === undefined ? undefined : this.byKey(request.key);
    if (known !== undefined) {
      if (known.fingerprint === fingerprint) return known;
      throw new HubError(
        'KEY_CONFLICT',
        `the key ${JSON.stringify(known.key)} stands for another command: ${known.id}`,
      );
    }
    const record = this.#make(host, request, { actor: by.actor, fingerprint });
    this.#open.put(record);
    by.accepted?.(record);
    if (record.mode === 'live') this.#deps.delivery.sendLive(record);
    this.#storing.set(record.id, record);
    this.#deps.table.add(record, () => this.#isStored(record, record.events));
    if (record.mode === 'live') return record;
    await this.#deps.table.settled();
    await this.#enqueue(record);
    return this.get(record.id) ?? record;
  }

  /** As it is, or as it ended; undefined when there is none, or it is forgotten. */
  get(id: string): OperationRecord | undefined {
    return this.#open.get(id) ?? this.#deps.table.get(id);
  }

  byKey(key: string): OperationRecord | undefined {
    return this.#open.byKey(key) ?? this.#deps.table.byKey(key);
  }

  openOf(host: HostId): readonly OperationRecord[] {
    return this.#open.ofHost(host);
  }

  /** Calls `listener` after every change of this operation that is on disk. */
  watch(id: string, listener: (record: OperationRecord) => void): Disposable {
    return this.#watchers.watch([id], listener);
  }

  /** Waits for their ends, for at most `ms`, or until `signal` aborts; gives back how far they are then, from disk. */
  async wait(
    records: readonly OperationRecord[],
    ms: number,
    signal: AbortSignal,
  ): Promise<readonly OperationRecord[]> {
    const ended = ms > 0 && !signal.aborted ? await this.#untilEnded(records, ms, signal) : NONE;
    const now = records.map((record) => ended.get(record.id) ?? this.get(record.id) ?? record);
    if (now.some(({ id }) => this.#storing.has(id))) await this.#deps.table.settled();
    return now;
  }

  /** May this host start it? Decided here and nowhere else; on disk when this resolves. */
  async claim(host: HostId, id: string): Promise<ClaimAnswer> {
    const record = this.get(id);
    if (record === undefined || record.host !== host) return { granted: false, why: 'unknown' };
    const expired: readonly LifeEvent[] = this.#isPastStart(record) ? [{ kind: 'expire' }] : [];
    const claimed = this.#apply(record, ...expired, { kind: 'claim' });
    return claimAnswer((await this.#stored(claimed)).life);
  }

  /** Takes what an agent tells, in order; gives back the highest seq that is on disk. */
  async told(host: HostId, id: string, events: readonly AgentEvent[]): Promise<{ readonly stored: number }> {
    const known = this.get(id);
    // Nobody here remembers it (another hub's, or forgotten): the agent may forget it as well.
    if (known === undefined || known.host !== host) return { stored: events.at(-1)?.seq ?? 0 };
    // An end without a claim (its policy forbids it) is an end all the same.
    const claim: readonly LifeEvent[] = known.life.claimed || this.#isPastStart(known) ? [] : [{ kind: 'claim' }];
    const told = events.map((event): LifeEvent => ({ kind: 'agent', event }));
    const record = this.#apply(known, ...claim, ...told);
    if (!record.life.claimed) return { stored: events.at(-1)?.seq ?? 0 };
    return { stored: (await this.#stored(record)).life.agentSeq };
  }

  /** It will not be delivered: an end, unless somebody has claimed it. */
  undeliverable(id: string, code: FailureCode, message: string): void {
    const record = this.#open.get(id);
    if (record !== undefined) this.#apply(record, { kind: 'undeliverable', code, message });
  }

  /** Ends it before its start, or asks the agent; the answer is what is true. @throws HubError 'NOT_FOUND', 'UNAVAILABLE' */
  async cancel(id: string, actor: FleetActor): Promise<CancelAnswer> {
    const record = this.get(id);
    if (record === undefined) throw new HubError('NOT_FOUND', `no such operation: ${id}`);
    const asked = isOpen(record.life.state)
      ? this.#replace(record, noteCancel(record, actor, this.#deps.clock))
      : record;
    const { life } = await this.#stored(this.#apply(asked, { kind: 'cancel' }));
    if (life.state === 'CANCELLED' && record.life.state !== 'CANCELLED') return { result: 'CANCELLED_BEFORE_START' };
    if (!isOpen(life.state)) return { result: 'NOT_CANCELLABLE', phase: null, state: life.state };
    const answer = await this.#deps.delivery.cancel(record.host, id);
    if (answer.result === 'CANCELLED_BEFORE_START') {
      const now = this.get(id);
      if (now !== undefined) await this.#stored(this.#apply(now, { kind: 'cancelled-by-agent' }));
    }
    return answer;
  }

  /** Nothing can reach this host any more. */
  async hostRemoved(host: HostId): Promise<void> {
    for (const record of this.#open.ofHost(host)) this.#apply(record, { kind: 'host-removed' });
    await this.#deps.table.settled();
  }

  /** Sends again what was sent to a host before the hub or the link died; agents know what they have. */
  deliverAgain(host: HostId): void {
    for (const record of this.#open.ofHost(host)) {
      if (record.mode === 'live' && record.life.state === 'SUBMITTED') this.#deps.delivery.sendLive(record);
    }
  }

  /** Ends what has waited too long, and tries again what could not be queued. To be called a few times a second. */
  sweep(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const record of this.#open.unclaimed()) {
      if (record.mode === 'live') this.#sweepLive(record, nowMs);
      else if (this.#isPastStart(record)) this.#apply(record, { kind: 'expire' });
      else if (record.life.state === 'SUBMITTED' && nowMs > (this.#enqueuing.get(record.id) ?? 0)) {
        this.#enqueue(record).catch((error: unknown) => this.#deps.log.failure('operation.enqueue.failed', error));
      }
    }
  }

  #sweepLive(record: OperationRecord, nowMs: number): void {
    const wasHere = record.moment.bootId === this.#deps.clock.bootId && record.moment.ms >= this.#startedMs;
    const sinceMs = nowMs - (wasHere ? record.moment.ms : this.#startedMs);
    if (sinceMs < (wasHere ? LIVE_CLAIM_MS : RESTART_CLAIM_MS)) return;
    this.undeliverable(record.id, 'HOST_OFFLINE', 'its agent did not claim it: nothing was started');
  }

  #make(
    host: HostRecord,
    request: SubmitOperation,
    by: { readonly actor: FleetActor; readonly fingerprint: string },
  ): OperationRecord {
    const id = randomOperationId(Date.now());
    const mode = request.mode ?? 'live';
    return {
      id,
      key: request.key ?? id,
      fingerprint: by.fingerprint,
      host: host.id,
      hostName: host.name,
      command: request.command,
      actor: by.actor,
      mode,
      startByMs: mode === 'queue' ? (request.startByMs ?? START_BY_MS) : null,
      moment: { bootId: this.#deps.clock.bootId, ms: this.#deps.clock.nowMs() },
      submittedAt: Date.now(),
      startedAt: null,
      startedMoment: null,
      endedAt: null,
      life: SUBMITTED,
      events: [{ seq: 1, atMs: 0, kind: 'submitted', state: 'SUBMITTED' }],
    };
  }

  async #enqueue(record: OperationRecord): Promise<void> {
    const { clock, delivery, log } = this.#deps;
    this.#enqueuing.set(record.id, Infinity);
    try {
      const answer = await delivery.enqueue(record);
      this.#enqueuing.delete(record.id);
      const now = this.get(record.id) ?? record;
      if ('sequence' in answer) await this.#stored(this.#apply(now, { kind: 'queued', sequence: answer.sequence }));
      else this.undeliverable(record.id, 'QUEUE_FULL', `the queue of ${record.hostName} is full: nothing was started`);
    } catch (error) {
      // Perhaps it is there, perhaps not: it is put there again, which changes nothing if it is.
      this.#enqueuing.set(record.id, clock.nowMs() + ENQUEUE_AGAIN_MS);
      log.failure('operation.enqueue.uncertain', error, { operationId: record.id });
    }
  }

  /** On the hub's monotonic clock, and on its wall clock across a boot. */
  #isPastStart({ startByMs, moment, submittedAt, life }: OperationRecord): boolean {
    if (startByMs === null || life.claimed || !isOpen(life.state)) return false;
    return (sinceMs(this.#deps.clock, moment) ?? Date.now() - submittedAt) > startByMs;
  }

  #apply(before: OperationRecord, ...events: readonly LifeEvent[]): OperationRecord {
    const { record, deleteMessage } = advance(before, events, this.#deps.clock);
    const { sequence } = record.life;
    if (deleteMessage && sequence !== null) this.#deleteQueued(record.id, sequence);
    return this.#replace(before, record);
  }

  #deleteQueued(id: string, sequence: number): void {
    const { delivery, log } = this.#deps;
    delivery
      .deleteQueued(sequence)
      .catch((error: unknown) => log.failure('operation.queue.delete-failed', error, { id }));
  }

  #replace(before: OperationRecord, record: OperationRecord): OperationRecord {
    if (before === record) return record;
    if (this.#open.get(record.id) !== undefined) this.#open.put(record);
    this.#storing.set(record.id, record);
    this.#deps.table.put(record, () => this.#isStored(record, record.events.slice(before.events.length)));
    return record;
  }

  #isStored(record: OperationRecord, lines: readonly FleetOperationEvent[]): void {
    const { id, life } = record;
    if (this.#storing.get(id) === record) this.#storing.delete(id);
    if (!isOpen(life.state)) this.#enqueuing.delete(id);
    if (!isOpen(life.state) && this.#open.get(id) === record) this.#open.remove(record);
    this.#watchers.tell(record);
    this.#deps.changed(record, lines);
  }

  /** The record, once it is on disk: what somebody is told must be true after a crash as well. */
  async #stored(record: OperationRecord): Promise<OperationRecord> {
    if (this.#storing.has(record.id)) await this.#deps.table.settled();
    return record;
  }

  /** The last records, on disk, of those that end in time. */
  async #untilEnded(
    records: readonly OperationRecord[],
    ms: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, OperationRecord>> {
    const ended = new Map<string, OperationRecord>();
    const open = new Set(records.flatMap(({ id }) => (this.#open.get(id) === undefined ? [] : id)));
    if (open.size === 0) return ended;
    const over = Promise.withResolvers<void>();
    using _watch = this.#watchers.watch([...open], (record) => {
      if (isOpen(record.life.state)) return;
      ended.set(record.id, record);
      open.delete(record.id);
      if (open.size === 0) over.resolve();
    });
    const timer = setTimeout(over.resolve, ms);
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    await over.promise;
    clearTimeout(timer);
    return ended;
  }
}

const NONE: ReadonlyMap<string, OperationRecord> = new Map();

/** What a key stands for: host, command and mode. How long the caller listens is none of it. */
function fingerprintOf(host: HostId, { command, mode = 'live', startByMs }: SubmitOperation): string {
  return hash('sha256', canonical([host, command, mode, startByMs ?? null]), 'base64url');
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
