import {
  type CancelAnswer,
  type ClaimAnswer,
  type CommandMessage,
  commandTarget,
  type FleetFailure,
  type FleetOutcome,
  type ReconcileRequest,
} from '@fairlead/protocol/fleet';
import { sinceMs } from '../../lib/host-clock.ts';
import { failure } from '../executor/failure.ts';
import { endOf, type JournalEntry } from '../journal/record.ts';
import { type LaneTask, Lanes } from '../lanes/lanes.ts';
import { OperationRun, type RunDeps } from './operation-run.ts';

/** What the hub is asked and told about operations. */
export interface HubSide {
  /** May it be started? Asked until there is an answer. @throws the signal's reason. */
  claim(operationId: string, signal: AbortSignal): Promise<ClaimAnswer>;
  /** Tells an end that the journal has nothing of; when nobody hears it, the hub asks with the next hello. */
  tellEnd(request: ReconcileRequest, end: UnwrittenEnd): Promise<void>;
}

/** The end of an operation that this agent's journal does not hold. */
export interface UnwrittenEnd {
  readonly state: 'FAILED' | 'UNKNOWN';
  readonly outcome: FleetOutcome;
}

export interface OperationsDeps extends Omit<RunDeps, 'created'> {
  readonly hub: HubSide;
}

/**
 * A claimed operation that an agent finds again after this is not started any more: whoever asked for it has long been told
 * something, and a stop of yesterday must not fire today.
 */
const CLAIM_GOOD_MS = 60_000;

/** What became of a message: the journal has it, or had it, or cannot take it. */
export type Received = 'journalled' | 'known' | 'refused';

/** Every operation of this host that has no end: receives, claims, runs, cancels them, and goes on with them after a crash. */
export class Operations {
  readonly #deps: OperationsDeps;
  readonly #lanes = new Lanes();
  readonly #runs = new Map<string, OperationRun>();
  /** Messages on their way into the journal: the same one again waits for it. */
  readonly #receiving = new Map<string, Promise<Received>>();
  /** Containers are looked up in the order in which commands name them, so that their lanes keep that order. */
  readonly #entering = new Map<string, Promise<void>>();
  readonly #work = new Set<Promise<void>>();

  constructor(deps: OperationsDeps) {
    this.#deps = deps;
  }

  /** Operations that are claimed and have no end. */
  get running(): number {
    return this.#runs.size;
  }

  /** Those the hub has to be told of: no end yet, or one that it has not acknowledged. */
  get open(): readonly string[] {
    return this.#deps.journal.entries().map(({ operationId }) => operationId);
  }

  /** Goes on with what an earlier agent left: claims again what was not started, and finds out the end of what was. */
  resume(): void {
    for (const entry of this.#deps.journal.entries()) {
      if (entry.events.length > entry.ackedSeq) this.#deps.told(entry.operationId);
      if (endOf(entry) !== undefined) continue;
      if (entry.evidence !== undefined) this.#reconcile(entry);
      else if (entry.isClaimed && this.#isStale(entry)) this.#spawn(this.#tooLate(entry));
      else this.#take(entry);
    }
  }

  /** Takes a message on. When this resolves with `journalled` or `known`, it is not forgotten, whatever happens. */
  async receive(message: CommandMessage): Promise<Received> {
    const { operationId } = message;
    if (this.#deps.journal.entry(operationId) !== undefined || this.#runs.has(operationId)) return 'known';
    const underway = this.#receiving.get(operationId);
    if (underway !== undefined) return (await underway) === 'refused' ? 'refused' : 'known';
    const received = this.#journal(message);
    this.#receiving.set(operationId, received);
    try {
      return await received;
    } finally {
      this.#receiving.delete(operationId);
    }
  }

  /** Ends an operation that the journal cannot take, or that cannot be read: claimed, so that nobody else ends it, and never started. */
  refuse(operationId: string, why: FleetFailure): void {
    const { hub, leaving } = this.#deps;
    const refusing = async (): Promise<void> => {
      const answer = await hub.claim(operationId, leaving);
      if (answer.granted) {
        await hub.tellEnd({ operationId, storedSeq: 0 }, { state: 'FAILED', outcome: { failure: why } });
      }
    };
    this.#spawn(refusing());
  }

  /** Answers a cancel, honestly. */
  async cancel(operationId: string): Promise<CancelAnswer> {
    const run = this.#runs.get(operationId);
    if (run !== undefined) {
      const answer = await run.cancel();
      if (answer.result === 'CANCELLED_BEFORE_START' && this.#lanes.leave(operationId)) this.#runs.delete(operationId);
      return answer;
    }
    const entry = this.#deps.journal.entry(operationId);
    const end = entry === undefined ? undefined : endOf(entry);
    return { result: 'NOT_CANCELLABLE', phase: null, state: end?.state ?? 'CLAIMED' };
  }

  /** Answers for what the hub believes to be here. Only what the journal proves is said. */
  async answerFor(request: ReconcileRequest): Promise<void> {
    const { journal, hub } = this.#deps;
    // It is known: what there is to tell is told anyway.
    if (journal.entry(request.operationId) !== undefined || this.#runs.has(request.operationId)) return;
    const end = journal.complete
      ? { state: 'FAILED' as const, message: 'This host never received it, so it was never started.' }
      : {
          state: 'UNKNOWN' as const,
          message: 'The journal of this host was lost: whether it was started cannot be known.',
        };
    await hub.tellEnd(request, { state: end.state, outcome: { failure: failure('LOST', end.message) } });
  }

  /** Resolves when nothing of it works any more; asked after `leaving` has aborted. */
  async left(): Promise<void> {
    await this.#lanes.idle();
    await Promise.all(this.#work);
  }

  async #journal(message: CommandMessage): Promise<Received> {
    const { journal, clock, log } = this.#deps;
    const { operationId } = message;
    if (journal.isFull) return 'refused';
    const at = { bootId: clock.bootId, ms: clock.nowMs() };
    try {
      await journal.append({ kind: 'RECEIVED', op: operationId, message, at });
    } catch (error) {
      log.failure('agent.operation.not-received', error, { operationId });
      return 'refused';
    }
    const entry = journal.entry(operationId);
    log.event('agent.operation.received', { operationId, verb: message.command.verb, mode: message.mode });
    if (entry !== undefined) this.#take(entry);
    return 'journalled';
  }

  /** Claims it and lets it into its lane, behind everything that named that container before. */
  #take(entry: JournalEntry): void {
    const name = nameOf(entry.message);
    const before = this.#entering.get(name) ?? Promise.resolve();
    const entered = this.#claim(entry, before).finally(() => {
      if (this.#entering.get(name) === settled) this.#entering.delete(name);
    });
    const settled = entered.catch(() => {});
    this.#entering.set(name, settled);
    this.#spawn(entered);
  }

  async #claim(entry: JournalEntry, before: Promise<void>): Promise<void> {
    const { hub, leaving, journal, log } = this.#deps;
    const { operationId } = entry;
    const answer = await hub.claim(operationId, leaving);
    log.event('agent.operation.claimed', { operationId, ...answer });
    if (!answer.granted) return await journal.append({ kind: 'DROPPED', op: operationId, why: answer.why });
    const run = this.#newRun(entry);
    try {
      await journal.append({ kind: 'CLAIMED', op: operationId });
    } catch {
      // The journal has said why.
      await run.refuse('AGENT_STORAGE', 'the journal cannot be written: nothing was started');
    }
    await before;
    if (!run.isOver && (await run.isAllowed())) await this.#enter(run);
    if (run.isOver) this.#runs.delete(operationId);
  }

  #newRun(entry: JournalEntry): OperationRun {
    const created = (operationId: string, containerId: string): void =>
      this.#lanes.alias(`op:${operationId}`, containerId);
    const run = new OperationRun({ ...this.#deps, created }, entry);
    this.#runs.set(run.operationId, run);
    return run;
  }

  async #enter(run: OperationRun): Promise<void> {
    const keys = await this.#keysOf(run, nameOf(run.message));
    // Looking takes a moment, in which it may have been cancelled.
    if (!run.isOver) this.#enterLane(run, keys);
  }

  async #keysOf(run: OperationRun, name: string): Promise<readonly string[]> {
    const { engine, leaving } = this.#deps;
    const { command } = run.message;
    const keys = [`op:${run.operationId}`, `name:${name}`];
    if (command.verb === 'pull') keys.push(`image:${command.image}`);
    if (command.verb === 'rename') keys.push(`name:${command.name}`);
    if (command.verb === 'pull' || command.verb === 'noop' || name === run.operationId) return keys;
    try {
      const found = await engine.inspect(name, leaving);
      return found === undefined ? keys : [found.Id, `name:${found.Name.replace(/^\//, '')}`, ...keys];
    } catch {
      // When its turn comes it is looked up again, and then this is told.
      return keys;
    }
  }

  #enterLane(run: OperationRun, keys: readonly string[]): void {
    const entered = this.#lanes.enter(keys, this.#taskOf(run));
    if (entered.as === 'refused') {
      const refused = run.refuse('QUEUE_FULL', 'too many operations wait for this container');
      return this.#spawn(refused.finally(() => this.#runs.delete(run.operationId)));
    }
    if (entered.as !== 'sharing') return;
    const leader = this.#runs.get(entered.leader.operationId);
    const sharing = async (): Promise<void> => {
      const shared = leader !== undefined && (await run.share(leader));
      if (!shared && !run.isOver) this.#enterLane(run, keys);
      else this.#runs.delete(run.operationId);
    };
    this.#spawn(sharing());
  }

  #taskOf(run: OperationRun): LaneTask {
    return {
      operationId: run.operationId,
      shareKey: run.shareKey,
      overtakes: run.overtakes,
      canBeOvertaken: () => run.canBeOvertaken(),
      run: async (release) => {
        try {
          await run.run(release);
        } catch (error) {
          // What is left at that moment is the next agent's.
          const { leaving, log } = this.#deps;
          if (!leaving.aborted) log.failure('agent.operation.broken', error, { operationId: run.operationId });
        }
        this.#runs.delete(run.operationId);
      },
    };
  }

  #isStale({ receivedAt }: JournalEntry): boolean {
    const { clock } = this.#deps;
    return (sinceMs(clock, receivedAt) ?? Infinity) > CLAIM_GOOD_MS;
  }

  async #tooLate(entry: JournalEntry): Promise<void> {
    const run = this.#newRun(entry);
    await run.refuse('LOST', 'The agent ended before it started this, and came back too late: it was not started.');
    this.#runs.delete(run.operationId);
  }

  #reconcile(entry: JournalEntry): void {
    const run = this.#newRun(entry);
    const { command } = entry.message;
    const container = entry.evidence?.container;
    const known = container === undefined ? [] : [container.id, `name:${container.name}`];
    const named = 'name' in command && command.name !== undefined ? [`name:${command.name}`] : [];
    const task: LaneTask = {
      operationId: run.operationId,
      shareKey: '',
      overtakes: false,
      canBeOvertaken: () => run.canBeOvertaken(),
      run: async (release) => {
        if (command.verb === 'exec' || command.verb === 'pull') release();
        await run.resume();
        this.#runs.delete(run.operationId);
      },
    };
    this.#lanes.enter([...known, ...named, `op:${run.operationId}`], task);
  }

  #spawn(work: Promise<void>): void {
    const { leaving, log } = this.#deps;
    const kept = work.catch((error) => {
      if (!leaving.aborted) log.failure('agent.operation.broken', error);
    });
    this.#work.add(kept);
    void kept.finally(() => this.#work.delete(kept));
  }
}

/** What a command names: a container that is there, one that is to be made, or nothing that another one names. */
function nameOf({ command, operationId }: CommandMessage): string {
  return commandTarget(command) ?? ('name' in command ? command.name : undefined) ?? operationId;
}
