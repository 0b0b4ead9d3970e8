import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerInspect, DOCKER_ALLOWANCES, isEngineError, parseSignal } from '@fairlead/protocol';
import {
  type CancelAnswer,
  type CommandMessage,
  commandTarget,
  type FailureCode,
  type FleetFailure,
} from '@fairlead/protocol/fleet';
import { wordsOf } from '../../lib/log.ts';
import { askEngine } from '../executor/ask.ts';
import { signalExec } from '../engine/signal-exec.ts';
import { failure, failureOf, isAnswer } from '../executor/failure.ts';
import { type Terms, termsOf } from '../executor/terms.ts';
import type { JournalEntry, Step } from '../journal/record.ts';
import type { LaneTask } from '../lanes/lanes.ts';
import { judge } from '../policy/judge.ts';
import { type Denial, denyGrace, type Policy } from '../policy/policy.ts';
import { evidenceOf, watch, type WatchDeps } from '../reconcile/watch.ts';
import { Telling, type TellingDeps } from './telling.ts';

/** What running an operation needs. */
export interface RunDeps extends WatchDeps, TellingDeps {
  readonly policy: Policy;
  /** A container was made: its lane is known by its id from now on. */
  readonly created: (operationId: string, containerId: string) => void;
}

/** `over` is told, or about to be. */
type Stage = 'waiting' | 'starting' | 'started' | 'over';

const STOPPED: FleetFailure = failure('CANCELLED_BEFORE_START', 'it was cancelled before anything was started');

/** One operation that was claimed, from its turn on the lane to its end. */
export class OperationRun implements LaneTask {
  readonly operationId: string;
  readonly message: CommandMessage;
  readonly tell: Telling;
  readonly shareKey: string;
  readonly overtakes: boolean;
  readonly #deps: RunDeps;
  readonly #cancelling = new AbortController();
  #stage: Stage = 'waiting';
  #startedMs = Infinity;

  constructor(deps: RunDeps, entry: JournalEntry) {
    const { command } = entry.message;
    this.#deps = deps;
    this.operationId = entry.operationId;
    this.message = entry.message;
    this.tell = new Telling(deps, entry);
    this.shareKey = command.verb === 'stop' ? `${String(command.graceMs)} ${command.signal ?? ''}` : '';
    this.overtakes = command.verb === 'kill';
  }

  canBeOvertaken(): boolean {
    return this.message.command.verb === 'stop' && this.#stage === 'started';
  }

  get isOver(): boolean {
    return this.#stage === 'over';
  }

  /** The host's policy has a say before anything is looked up. @returns whether it may go on; else its end is told. */
  async isAllowed(): Promise<boolean> {
    try {
      const denied = await judge(this.#deps.policy, this.message);
      if (denied !== undefined) await this.#denied(denied);
    } catch (error) {
      await this.#fail(failureOf(error));
    }
    return !this.isOver;
  }

  async run(release: () => void): Promise<void> {
    if (this.isOver) return;
    try {
      await this.#perform(release);
    } catch (error) {
      await this.#broken(error);
    }
  }

  /** Looks for the end of what an earlier agent has started. */
  async resume(): Promise<void> {
    this.#stage = 'started';
    try {
      await this.#watch(() => false);
    } catch (error) {
      await this.#broken(error);
    }
  }

  /** Ends like `leader`, which does the same to the same container. @returns false when that was cancelled: then it is this one's turn. */
  async share(leader: OperationRun): Promise<boolean> {
    const { leaving, journal, clock } = this.#deps;
    try {
      for await (const event of leader.tell.follow(leaving)) {
        if (this.isOver) return true;
        if (event.kind === 'accepted')
          await this.tell.accepted({ ...event, boundMs: this.#leftOf(leader, event.boundMs) });
        else if (event.kind === 'phase') this.tell.phase(event.phase);
        else if (event.kind === 'overdue') this.tell.overdue(event.failure);
        else if (event.kind === 'done' && event.state === 'CANCELLED') return false;
        else if (event.kind === 'done') await this.#end(event.state, event.outcome);
        else {
          this.#stage = 'starting';
          const evidence = journal.entry(leader.operationId)?.evidence;
          const own = evidence ?? {
            graceMs: null,
            boundMs: null,
            startedAt: { bootId: clock.bootId, ms: clock.nowMs() },
          };
          await this.tell.started({ ...own, joined: leader.operationId });
          this.#stage = 'started';
        }
      }
    } catch (error) {
      await this.#broken(error);
    }
    return true;
  }

  /** There is no room for it. */
  async refuse(code: FailureCode, message: string): Promise<void> {
    await this.#fail(failure(code, message));
  }

  /** Cancels it, or says why not. CANCELLED_BEFORE_START is true for ever: nothing was started, and nothing will be. */
  async cancel(): Promise<CancelAnswer> {
    const { verb } = this.message.command;
    if (this.#stage === 'waiting') {
      await this.#end('CANCELLED', { failure: STOPPED });
      return { result: 'CANCELLED_BEFORE_START' };
    }
    if (this.#stage === 'started' && verb === 'pull') {
      this.#cancelling.abort(new Error('cancelled'));
      return { result: 'CANCEL_DELIVERED' };
    }
    if (this.#stage === 'started' && verb === 'exec') {
      const steps = this.#deps.journal.entry(this.operationId)?.steps ?? [];
      const execId = steps.flatMap((step) => (step.step === 'exec' ? [step.execId] : [])).at(-1);
      const { engine, leaving } = this.#deps;
      if (execId !== undefined && (await signalExec(engine, { execId, number: parseSignal('KILL') }, leaving))) {
        return { result: 'CANCEL_DELIVERED' };
      }
    }
    return { result: 'NOT_CANCELLABLE', phase: this.tell.lastPhase, state: this.tell.state };
  }

  async #perform(release: () => void): Promise<void> {
    const found = await this.#resolve();
    if (this.isOver) return;
    if ('code' in found) return await this.#fail(found);
    const { container, terms } = found;
    if (commandTarget(this.message.command) !== undefined && container === undefined) {
      return await this.#fail(failure('NOT_FOUND', `No such container: ${commandTarget(this.message.command) ?? ''}`));
    }
    await this.tell.accepted(terms);
    const { verb } = this.message.command;
    const denied = verb === 'stop' || verb === 'restart' ? denyGrace(this.#deps.policy, terms.graceMs) : undefined;
    if (denied !== undefined) return await this.#denied(denied);
    if (this.isOver) return;
    // From here on it cannot be cancelled as never started.
    this.#stage = 'starting';
    const { clock } = this.#deps;
    const startedAt = { bootId: clock.bootId, ms: clock.nowMs() };
    await this.tell.started(evidenceOf(container, { ...terms, startedAt }));
    this.#startedMs = startedAt.ms;
    this.#stage = 'started';
    // A program or a registry may take for ever: others of this container need not wait for them.
    if (terms.boundMs === null && (verb === 'exec' || verb === 'pull')) release();
    await this.#ask(container?.Id, terms);
  }

  async #resolve(): Promise<
    { readonly container: ContainerInspect | undefined; readonly terms: Terms } | FleetFailure
  > {
    const { engine, leaving } = this.#deps;
    const { command } = this.message;
    const target = commandTarget(command);
    // It measures the way, and the engine is no part of that.
    if (command.verb === 'noop') return { container: undefined, terms: termsOf(command, undefined, DOCKER_ALLOWANCES) };
    try {
      const allowances = await engine.allowances(leaving);
      const container = target === undefined ? undefined : await engine.inspect(target, leaving);
      return { container, terms: termsOf(command, container, allowances) };
    } catch (error) {
      leaving.throwIfAborted();
      if (isEngineError(error)) return failureOf(error);
      return failure('ENGINE_OVERDUE', 'The engine accepts connections and answers nothing. Nothing was started.');
    }
  }

  async #ask(containerId: string | undefined, terms: Terms): Promise<void> {
    const { engine, leaving } = this.#deps;
    const { command } = this.message;
    using _phases =
      containerId === undefined ? undefined : engine.onPhase(containerId, (phase) => this.tell.phase(phase));
    this.tell.phase(command.verb === 'stop' || command.verb === 'restart' ? 'signal' : 'work');
    const over = new AbortController();
    const late = this.#whenLate(terms, AbortSignal.any([over.signal, leaving]));
    const signal = AbortSignal.any([leaving, this.#cancelling.signal, over.signal]);
    const step = (one: Step): Promise<void> => this.#step(one);
    try {
      const answer = askEngine(
        { client: engine.client, operationId: this.operationId, containerId, signal, step },
        command,
      );
      const outcome = await Promise.race([answer, late]);
      if (outcome === undefined) return;
      const tookMs = Math.round(this.#deps.clock.nowMs() - this.#startedMs);
      await this.#end('SUCCEEDED', { ...outcome, tookMs });
    } catch (error) {
      over.abort(new Error('over'));
      await this.#notAnswered(error);
    } finally {
      over.abort(new Error('over'));
    }
  }

  async #step(step: Step): Promise<void> {
    await this.tell.step(step);
    if (step.step === 'created') this.#deps.created(this.operationId, step.containerId);
  }

  /** Beyond its bound the engine is late: that is told, and its state is looked at beside the request. Resolves when the end is told. */
  async #whenLate({ boundMs }: Terms, signal: AbortSignal): Promise<undefined> {
    const never = new Promise<undefined>(() => {});
    if (boundMs === null || this.message.command.verb === 'noop') return await never;
    try {
      await sleep(boundMs, undefined, { signal, ref: false });
      this.tell.overdue(
        failure('ENGINE_OVERDUE', `The engine owed an answer within ${Math.round(boundMs)} ms, and is still asked.`),
      );
      await watch(
        this.#deps,
        this.#watched(() => true),
        signal,
      );
      this.#stage = 'over';
      return undefined;
    } catch (error) {
      if (signal.aborted) return await never;
      throw error;
    }
  }

  async #notAnswered(error: unknown): Promise<void> {
    const { leaving } = this.#deps;
    // What runs is left to the next agent.
    if (leaving.aborted) return;
    if (this.#cancelling.signal.aborted) return await this.#fail(failure('CANCELLED', 'it was cancelled while it ran'));
    if (isAnswer(error)) return await this.#fail(failureOf(error));
    const why = failureOf(error);
    this.tell.overdue(why);
    await this.#watch(() => why.code === 'ENGINE_OVERDUE');
  }

  async #watch(isEngineLate: () => boolean): Promise<void> {
    await watch(this.#deps, this.#watched(isEngineLate), this.#deps.leaving);
    this.#stage = 'over';
  }

  #watched(isEngineLate: () => boolean): Parameters<typeof watch>[1] {
    return { operationId: this.operationId, tell: this.tell, isEngineLate };
  }

  #leftOf(leader: OperationRun, boundMs: number | null): number | null {
    if (boundMs === null || leader.#startedMs === Infinity) return boundMs;
    return Math.max(0, boundMs - (this.#deps.clock.nowMs() - leader.#startedMs));
  }

  async #denied({ rule, message }: Denial): Promise<void> {
    await this.#fail(failure('DENIED_BY_POLICY', `The host's policy denies it (${rule}): ${message}`));
  }

  async #fail(why: FleetFailure): Promise<void> {
    const containerId = this.#deps.journal.entry(this.operationId)?.evidence?.container?.id;
    await this.#end('FAILED', { ...(containerId === undefined ? {} : { containerId }), failure: why });
  }

  async #end(...[state, outcome]: Parameters<Telling['done']>): Promise<void> {
    this.#stage = 'over';
    await this.tell.done(state, outcome);
  }

  /** The journal could not be written, or a defect of our own. What was started has no end yet: the next agent finds it out. */
  async #broken(error: unknown): Promise<void> {
    if (this.#deps.leaving.aborted) return;
    const { log, journal } = this.#deps;
    log.failure('agent.operation.broken', error, { operationId: this.operationId });
    if (this.#stage === 'started') {
      const why = failure('LOST', `The agent failed: ${wordsOf(error)}. How it ended is not known.`);
      return await this.#end('UNKNOWN', { failure: why });
    }
    const code = journal.failure === undefined ? 'ENGINE_ERROR' : 'AGENT_STORAGE';
    await this.#fail(failure(code, `Nothing was started: ${wordsOf(error)}`));
  }
}
