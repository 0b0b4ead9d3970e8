import { EngineError, type ContainerId } from '@fairlead/protocol';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import type { CreatedProcess } from '../ports/container-runtime.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import { healthAfter, healthRulesOf } from './health.ts';
import {
  isOwed,
  transition,
  type Announcement,
  type ContainerEffect,
  type ContainerEvent,
  type OwedEffect,
} from './machine.ts';
import type { ContainerState, LastRun, RunResult } from './state.ts';
import { rulesOf, type ContainerRecord } from './record.ts';
import { ActorListeners } from './actor-listeners.ts';
import { startFailureOf } from './start-failure.ts';
import { isFact, isNotStored, RecordKeeper, STORE_AGAIN_MS, type RecordKeeperDeps } from './record-keeper.ts';

/** What an actor does to the outside world. Every method can be repeated. */
export interface ContainerWork {
  launch(
    record: ContainerRecord,
  ): Promise<{ readonly created: CreatedProcess; readonly endpoint: NetworkEndpoint | null }>;
  sendSignal(created: CreatedProcess, signal: number): Promise<void>;
  freeze(id: ContainerId): Promise<void>;
  thaw(id: ContainerId): Promise<void>;
  /** After an exit: the runtime's state, the network address and the mount go. */
  cleanUpRun(record: ContainerRecord): Promise<void>;
  /** At removal: everything that is left goes. */
  removeRemains(record: ContainerRecord): Promise<void>;
}

export interface ContainerActorDeps extends RecordKeeperDeps {
  readonly work: ContainerWork;
  /** Deletes the record and announces the destruction. */
  readonly forget: (record: ContainerRecord) => void;
  readonly onEffectFailed: (record: ContainerRecord, effect: ContainerEffect, cause: unknown) => void;
}

/** What changes with an observation, and what the world is told of it. */
export type Observation = Pick<ContainerRecord, 'health'> & { readonly announcements: readonly Announcement[] };

interface FollowUp {
  readonly event: ContainerEvent;
  /** Rejects the request that caused the effect. */
  readonly error?: unknown;
}

/** Owns one container's record. Events are applied one at a time; nobody holds a lock while waiting for a process. */
export class ContainerActor implements Disposable {
  readonly #deps: ContainerActorDeps;
  readonly #listeners = new ActorListeners();
  readonly #keeper: RecordKeeper;
  #tail: Promise<unknown> = Promise.resolve();
  #graceTimer: Disposable | undefined;
  #restartTimer: Disposable | undefined;

  constructor(record: ContainerRecord, deps: ContainerActorDeps) {
    this.#deps = deps;
    this.#keeper = new RecordKeeper(record, deps, () => {
      void this.#enqueue(() => this.#catchUp(this.#keeper.storeAgain()));
    });
  }

  get id(): ContainerId {
    return this.#keeper.record.id;
  }

  get record(): ContainerRecord {
    return this.#keeper.record;
  }

  get state(): ContainerState {
    return this.#keeper.record.state;
  }

  /**
   * Resolves when the container no longer exists, with its last exit code.
   * @throws signal.reason when aborted first.
   */
  async whenRemoved(signal: AbortSignal): Promise<RunResult> {
    const removed = Promise.withResolvers<RunResult>();
    using _waiting = this.onRemoved(removed.resolve);
    return await waitOrAbort(removed.promise, signal);
  }

  /** Calls back once, when the container no longer exists; at once if it does not. */
  onRemoved(listener: (result: RunResult) => void): Disposable {
    return this.#listeners.onRemoved(listener);
  }

  /** @throws EngineError when the event is refused in the current state, or when what it started failed. */
  send(event: ContainerEvent): Promise<ContainerState> {
    return this.#enqueue(() => this.#apply(event));
  }

  /**
   * Changes what is not its life: the name, limits. Serialised with events: while `change` works nothing else happens to it.
   * @throws what `change` throws; EngineError 'not-found' when it no longer exists. Nothing is changed then.
   */
  amend(change: (record: ContainerRecord) => ContainerRecord | Promise<ContainerRecord>): Promise<ContainerRecord> {
    return this.#enqueue(async () => {
      if (this.#listeners.gone !== undefined) throw new EngineError('not-found', `No such container: ${this.id}`);
      const record = { ...(await change(this.record)), state: this.state };
      await this.#catchUp(this.#keeper.wish(record, []));
      return record;
    });
  }

  /**
   * Takes in what was observed of it, serialised with events. It is durable with what it announces, else with the next
   * change of the container: an engine that dies loses no more than an observation.
   */
  observe(change: (record: ContainerRecord) => Observation): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#listeners.gone !== undefined) return;
      const { health, announcements } = change(this.record);
      const record = { ...this.record, health };
      if (announcements.length === 0) this.#keeper.note(record);
      else await this.#catchUp(this.#keeper.fact(record, announcements));
    });
  }

  /** Calls back after each change of state whose work is done, until disposed. */
  watch(watcher: (state: ContainerState) => void): Disposable {
    return this.#listeners.watch(watcher);
  }

  /**
   * Resolves with the first state, current or future, that satisfies `accepts`.
   * @throws signal.reason when aborted first.
   */
  async when(accepts: (state: ContainerState) => boolean, signal: AbortSignal): Promise<ContainerState> {
    if (accepts(this.state)) return this.state;
    const met = Promise.withResolvers<ContainerState>();
    using _watching = this.watch((state) => {
      if (accepts(state)) met.resolve(state);
    });
    return await waitOrAbort(met.promise, signal);
  }

  /** Calls back once, after the next exit of the container's process and the clean-up after it. */
  onNextExit(listener: (last: LastRun) => void): Disposable {
    return this.#listeners.onNextExit(listener);
  }

  /** After a restart of the engine: does again what the record owes. */
  resume(): void {
    const state = this.state;
    if (state.status === 'running' && state.killAt !== null && !state.killedAfterGrace) this.#armGrace(state.killAt);
    if (state.status === 'restarting') this.#armRestart(state.delayMs);
    if (state.status === 'removing') this.#removeAgain();
    const owed = this.record.owed ?? [];
    if (owed.length > 0) this.#performAgain(owed);
    const isFrozenForNothing = state.status === 'running' && state.paused && state.pausedForWork === true;
    if (isFrozenForNothing) this.#sendLater({ type: 'unpause-requested' });
  }

  [Symbol.dispose](): void {
    this.#disarm();
    this.#keeper[Symbol.dispose]();
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => {});
    return done;
  }

  async #apply(event: ContainerEvent): Promise<ContainerState> {
    const before = this.state;
    const next = transition(before, event, rulesOf(this.record));
    if (!next.ok) throw new EngineError(next.kind, next.reason, { details: { containerId: this.id } });
    if (next.state !== before || next.announcements.length > 0) {
      const record = {
        ...this.record,
        state: next.state,
        owed: next.effects.filter(isOwed),
        health: this.#healthIn(next.state),
      };
      const store = isFact(event) ? 'fact' : 'wish';
      await this.#catchUp(this.#keeper[store](record, next.announcements));
    }
    const followUps = await this.#performAll(next.effects);
    await this.#settle();
    this.#notify(event, before);
    await this.#follow(followUps);
    return this.state;
  }

  /** What had to wait for a full disk. */
  async #catchUp(effects: readonly ContainerEffect[]): Promise<void> {
    if (effects.length > 0) await this.#follow(await this.#performAll(effects));
  }

  async #performAll(effects: readonly ContainerEffect[]): Promise<readonly FollowUp[]> {
    const followUps: FollowUp[] = [];
    for (const effect of effects) {
      if (this.#keeper.defers(effect)) continue;
      const followUp = await this.#perform(effect);
      if (followUp !== undefined) followUps.push(followUp);
    }
    return followUps;
  }

  async #follow(followUps: readonly FollowUp[]): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const { event, error } of followUps) {
      if (event.type === 'launched') await this.#apply(event).catch((cause: unknown) => this.#undoLaunch(cause));
      else await this.#apply(event);
      if (error !== undefined) failure ??= { error };
    }
    if (failure !== undefined) throw failure.error;
  }

  /** A process that could not be written down is not left running: after a crash nobody would know of it. */
  async #undoLaunch(cause: unknown): Promise<never> {
    await this.#perform({ effect: 'clean-up-run' });
    await this.#apply({ type: 'launch-failed', failure: startFailureOf(cause) });
    throw cause;
  }

  #healthIn(after: ContainerState): ContainerRecord['health'] {
    const { config, health, state: before } = this.record;
    return healthRulesOf(config) === undefined ? health : healthAfter(health, { before, after });
  }

  #notify(event: ContainerEvent, before: ContainerState): void {
    const after = this.state;
    if (event.type === 'exited' && before.status === 'running' && 'last' in after && after.last !== null) {
      this.#listeners.tellExited(after.last);
    }
    this.#listeners.tellChanged(after);
  }

  async #perform(effect: ContainerEffect): Promise<FollowUp | undefined> {
    try {
      return await this.#attempt(effect);
    } catch (cause) {
      this.#deps.onEffectFailed(this.record, effect, cause);
      return this.#failed(effect, cause);
    }
  }

  async #attempt(effect: ContainerEffect): Promise<FollowUp | undefined> {
    const { work, clock } = this.#deps;
    switch (effect.effect) {
      case 'launch': {
        const launched = await work.launch(this.record);
        return { event: { type: 'launched', ...launched, at: clock.now() } };
      }
      case 'send-signal':
        return void (await work.sendSignal(effect.created, effect.signal));
      case 'freeze':
        return void (await work.freeze(this.id));
      case 'thaw':
        return void (await work.thaw(this.id));
      case 'arm-grace-timer':
        return this.#armGrace(effect.killAt);
      case 'arm-restart-timer':
        return this.#armRestart(effect.ms);
      case 'disarm-timers':
        return this.#disarm();
      case 'clean-up-run':
        return void (await work.cleanUpRun(this.record));
      case 'remove-remains':
        await work.removeRemains(this.record);
        return this.#finish();
      case 'auto-remove':
        // Queued, not applied here: those who wait for the exit are told before the container goes.
        return this.#sendLater({ type: 'remove-requested', volumes: true });
      default:
        return effect satisfies never;
    }
  }

  /** What a failed effect means for the container's life. The others are logged and owed until the next start of the engine. */
  #failed(effect: ContainerEffect, cause: unknown): FollowUp | undefined {
    switch (effect.effect) {
      case 'launch':
        return { event: { type: 'launch-failed', failure: startFailureOf(cause) }, error: cause };
      case 'freeze':
        return { event: { type: 'freeze-failed' }, error: cause };
      case 'remove-remains':
        return { event: { type: 'remove-failed', message: String(cause) }, error: cause };
      default:
        return undefined;
    }
  }

  #armGrace(killAt: Date): undefined {
    this.#graceTimer?.[Symbol.dispose]();
    const ms = killAt.getTime() - this.#deps.clock.now().getTime();
    // At once: a process that the stop signal itself kills would often be gone before a timer fires, and one kill untold.
    if (ms <= 0) this.#sendLater({ type: 'grace-expired' });
    else this.#graceTimer = this.#deps.clock.after(ms, () => this.#sendLater({ type: 'grace-expired' }));
  }

  #armRestart(ms: number): undefined {
    this.#restartTimer?.[Symbol.dispose]();
    this.#restartTimer = this.#deps.clock.after(ms, () => this.#sendLater({ type: 'restart-due' }));
  }

  #disarm(): undefined {
    this.#graceTimer?.[Symbol.dispose]();
    this.#restartTimer?.[Symbol.dispose]();
  }

  /**
   * An event of the engine's own: its failure was reported by `onEffectFailed`, a refusal means that it came too late. What
   * only could not be stored is tried again.
   */
  #sendLater(event: ContainerEvent): undefined {
    this.send(event).catch((error: unknown) => {
      if (isNotStored(error)) this.#deps.clock.after(STORE_AGAIN_MS, () => this.#sendLater(event));
    });
  }

  /** What was owed has been done, or has failed and was reported. */
  async #settle(): Promise<void> {
    const { record } = this;
    if ((record.owed ?? []).length > 0) await this.#catchUp(this.#keeper.fact({ ...record, owed: [] }, []));
  }

  #performAgain(effects: readonly OwedEffect[]): void {
    void this.#enqueue(async () => {
      for (const effect of effects) {
        const followUp = await this.#perform(effect);
        if (followUp !== undefined) await this.#apply(followUp.event);
      }
      await this.#settle();
    }).catch(() => {});
  }

  #removeAgain(): void {
    void this.#enqueue(async () => {
      const followUp = await this.#perform({ effect: 'remove-remains' });
      if (followUp !== undefined) await this.#apply(followUp.event);
    });
  }

  #finish(): undefined {
    const state = this.state;
    const last = 'last' in state ? state.last : null;
    const failure = 'failure' in state ? state.failure : null;
    this.#disarm();
    this.#deps.forget(this.record);
    this.#listeners.tellGone({ exitCode: failure?.exitCode ?? last?.exitCode ?? 0 });
  }
}
