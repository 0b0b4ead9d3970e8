import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnreachableError, type EventFeedItem } from '@fairlead/client';
import type { ContainerSummary, VersionInfo } from '@fairlead/protocol';
import type { EngineReport, InventoryDelta } from '@fairlead/protocol/fleet';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import type { EngineSide } from '../engine/engine-side.ts';
import { Inventory } from './inventory.ts';

export interface ReporterDeps {
  readonly engine: EngineSide;
  readonly log: FleetLog;
}

/** Between two questions whether the engine is there. */
const ENGINE_ASKED_MS = 5_000;
/** Events come in bursts: a start is five. What changed within this is told together. */
const GATHER_MS = 250;
/** Events can be missed, so everything is compared now and then. */
const RESYNC_MS = 60_000;
/** Pause before the engine is tried again. */
const TRY_AGAIN_MS = 1_000;
/** Of an engine's failure, told to the hub. */
const MESSAGE_CHARACTERS_MAX = 1_024;
/** More changes at once than this: everything is looked at. */
const DIRTY_MAX = 100;

/** What the agent tells of its engine without being asked: that it is there, its containers, what happens to them. */
export class Reporter {
  readonly #deps: ReporterDeps;
  #report: EngineReport = { name: '', version: '', apiVersion: '', state: 'silent', message: 'not asked yet' };
  #inventory = new Inventory();
  readonly #dirty = new Set<string>();
  #allDirty = true;
  #wake: (() => void) | undefined;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** The engine as it was when it was asked last. */
  get engine(): EngineReport {
    return this.#report.state === 'ok' ? { ...this.#report, ...this.#inventory.counts() } : this.#report;
  }

  /** Asks the engine who it is. Never throws: an engine that is away is a report as well. */
  async askEngine(signal: AbortSignal): Promise<void> {
    const { engine, log } = this.#deps;
    const before = this.#report.state;
    try {
      const version = await engine.look((limited) => engine.client.system.version({ signal: limited }), signal);
      const { isFairlead } = await engine.client.traits(signal);
      if (version === undefined) this.#report = { ...this.#report, state: 'silent', message: 'it tells no version' };
      else this.#report = reportOf(version, isFairlead);
    } catch (error) {
      if (signal.aborted) return;
      const state = error instanceof EngineUnreachableError ? 'unreachable' : 'silent';
      this.#report = { ...this.#report, state, message: wordsOf(error).slice(0, MESSAGE_CHARACTERS_MAX) };
    }
    if (before !== this.#report.state) log.event('agent.engine.state', { ...this.#report });
  }

  /** Keeps the report fresh and hears the engine's events, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#keepAsking(signal), this.#hear(signal)]);
  }

  /** The containers: first all of them, then what changes. One at a time, one for each connection to the hub. */
  async *inventory(signal: AbortSignal): AsyncGenerator<InventoryDelta, void, undefined> {
    const inventory = new Inventory();
    this.#inventory = inventory;
    yield* inventory.full(await this.#listAll(signal));
    this.#allDirty = false;
    while (!signal.aborted) {
      await this.#changed(signal);
      const ids = [...this.#dirty];
      const everything = this.#allDirty || ids.length === 0 || ids.length > DIRTY_MAX;
      this.#dirty.clear();
      this.#allDirty = false;
      if (everything) yield* inventory.resync(await this.#listAll(signal));
      else yield* inventory.update(ids, await this.#list(new Map([['id', ids]]), signal));
    }
  }

  async #keepAsking(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.askEngine(signal);
      await sleep(ENGINE_ASKED_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #hear(signal: AbortSignal): Promise<void> {
    const { engine, log } = this.#deps;
    while (!signal.aborted) {
      try {
        for await (const item of engine.client.events({ reconnect: true, signal })) this.#take(item);
      } catch (error) {
        if (!signal.aborted) log.warning('agent.engine.events-lost', { why: wordsOf(error) });
      }
      this.#mark(undefined);
      await sleep(TRY_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  #take(item: EventFeedItem): void {
    if (item.kind === 'gap') return this.#mark(undefined);
    this.#deps.engine.take(item.event);
    if (item.event.Type === 'container') this.#mark(item.event.Actor.ID);
  }

  #mark(id: string | undefined): void {
    if (id === undefined || this.#dirty.size > DIRTY_MAX) this.#allDirty = true;
    else this.#dirty.add(id);
    this.#wake?.();
  }

  /** Resolves a moment after something changed, or when it is time to compare. */
  async #changed(signal: AbortSignal): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const enough = new AbortController();
    const limit = AbortSignal.any([signal, enough.signal]);
    if (this.#dirty.size === 0 && !this.#allDirty) {
      await Promise.race([woken.promise, sleep(RESYNC_MS, undefined, { signal: limit }).catch(() => {})]);
      enough.abort();
    }
    await sleep(GATHER_MS, undefined, { signal });
  }

  async #listAll(signal: AbortSignal): Promise<readonly ContainerSummary[]> {
    return await this.#list(new Map(), signal);
  }

  /** Tries until the engine answers. @throws the signal's reason. */
  async #list(
    filters: ReadonlyMap<string, readonly string[]>,
    signal: AbortSignal,
  ): Promise<readonly ContainerSummary[]> {
    const { engine } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      try {
        const ask = (limited: AbortSignal): Promise<readonly ContainerSummary[]> =>
          engine.client.containers.list({ all: true, filters, signal: limited });
        return (await engine.look(ask, signal)) ?? [];
      } catch {
        // What is wrong with the engine is in its report.
        await sleep(TRY_AGAIN_MS, undefined, { signal });
      }
    }
  }
}

function reportOf(version: VersionInfo, isFairlead: boolean): EngineReport {
  const components = (version.Components ?? []).map(({ Name }) => Name).join(' ');
  const name = isFairlead ? 'fairlead' : /podman/i.test(components) ? 'podman' : 'docker';
  return { name, version: version.Version, apiVersion: version.ApiVersion, state: 'ok' };
}
