import type { ContainerId } from '@fairlead/protocol';
import type { Log } from '../../lib/log.ts';
import type { ContainerActor, Observation } from '../container/actor.ts';
import { healthProbed, healthRulesOf, nextProbeMs, type HealthRules, type ProbeResult } from '../container/health.ts';
import type { RunningState } from '../container/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { RunProbe } from './probe.ts';

export interface HealthMonitorDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Runs the check once. Never rejects. */
  readonly probe: (actor: ContainerActor, command: RunProbe) => Promise<ProbeResult>;
}

/** Probes every running container that has a health check, one probe of a container at a time. */
export class HealthMonitor implements Disposable {
  readonly #deps: HealthMonitorDeps;
  readonly #probers = new Map<ContainerId, Prober>();
  #closed = false;

  constructor(deps: HealthMonitorDeps) {
    this.#deps = deps;
  }

  /** Probes this container whenever it runs, until it is removed. */
  follow(actor: ContainerActor): void {
    if (healthRulesOf(actor.record.config) === undefined) return;
    actor.watch(() => this.resume(actor));
    actor.onRemoved(() => this.#stop(actor.id));
  }

  /**
   * Makes sure that there is a prober exactly while the container runs and is not paused, one for each run; after a
   * restart of the engine, too.
   */
  resume(actor: ContainerActor): void {
    const { state } = actor;
    const rules = healthRulesOf(actor.record.config);
    const isWanted = !this.#closed && state.status === 'running' && !state.paused && rules !== undefined;
    if (!isWanted) return this.#stop(actor.id);
    const { startedAt } = state;
    if (this.#probers.get(actor.id)?.startedAt.getTime() === startedAt.getTime()) return;
    this.#stop(actor.id);
    this.#probers.set(actor.id, new Prober(this.#deps, { actor, rules, startedAt }));
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const id of [...this.#probers.keys()]) this.#stop(id);
  }

  #stop(id: ContainerId): void {
    this.#probers.get(id)?.[Symbol.dispose]();
    this.#probers.delete(id);
  }
}

/** One run of one container. */
interface ProbedRun {
  readonly actor: ContainerActor;
  readonly rules: HealthRules;
  readonly startedAt: Date;
}

/** Probes one run until it is disposed of. */
class Prober implements Disposable {
  readonly #deps: HealthMonitorDeps;
  readonly #run: ProbedRun;
  readonly #stopped = new AbortController();
  #timer: Disposable | undefined;

  constructor(deps: HealthMonitorDeps, run: ProbedRun) {
    this.#deps = deps;
    this.#run = run;
    this.#arm();
  }

  get startedAt(): Date {
    return this.#run.startedAt;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#stopped.abort();
  }

  #arm(): void {
    const { clock, log } = this.#deps;
    const status = this.#run.actor.record.health?.status ?? 'starting';
    this.#timer = clock.after(nextProbeMs(status, this.#run, clock.now()), () => {
      this.#probe().catch((error: unknown) => {
        log.failure('container.health.unstored', error, { containerId: this.#run.actor.id });
        if (!this.#stopped.signal.aborted) this.#arm();
      });
    });
  }

  async #probe(): Promise<void> {
    const { actor, rules } = this.#run;
    const { signal } = this.#stopped;
    const result = await this.#deps.probe(actor, { rules, signal });
    if (signal.aborted) return;
    await actor.observe((record) => observed(record, this.#run, result));
    if (!signal.aborted) this.#arm();
  }
}

/** A result that comes after the end of its run, or in a pause, says nothing. */
function observed({ state, health }: ContainerActor['record'], run: ProbedRun, result: ProbeResult): Observation {
  if (health === undefined || !isProbed(state, run)) return { health, announcements: [] };
  const after = healthProbed(health, result, run);
  const announcements = after.status === health.status ? [] : [{ action: `health_status: ${after.status}` } as const];
  return { health: after, announcements };
}

function isProbed(state: ContainerActor['state'], run: ProbedRun): state is RunningState {
  return state.status === 'running' && !state.paused && state.startedAt.getTime() === run.startedAt.getTime();
}
