import { EngineError, isExecId, type ContainerId, type ExecId } from '@fairlead/protocol';
import type { Clock } from '../ports/clock.ts';
import type { ExecSession } from './session.ts';

/** A finished exec stays inspectable for at least this long. Source: moby daemon/exec.go sweeps every 5 minutes. */
export const EXEC_KEPT_MS: number = 5 * 60_000;

/** Every exec the engine knows. In memory only, as in Docker: its process lives and dies with its container. */
export class ExecDirectory {
  readonly #clock: Clock;
  readonly #sessions = new Map<ExecId, ExecSession>();
  readonly #byContainer = new Map<ContainerId, Set<ExecSession>>();
  #sweep: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws EngineError 'not-found' unless the whole id is known: execs have no prefixes. Source: engine-api 5.1. */
  resolve(id: string): ExecSession {
    const session = isExecId(id) ? this.#sessions.get(id) : undefined;
    if (session === undefined) throw new EngineError('not-found', `No such exec instance: ${id}`);
    return session;
  }

  add(session: ExecSession): void {
    this.#sessions.set(session.id, session);
    const siblings = this.#byContainer.get(session.containerId) ?? new Set();
    this.#byContainer.set(session.containerId, siblings.add(session));
    this.#sweep ??= this.#clock.after(EXEC_KEPT_MS, () => this.#sweepFinished());
  }

  /** Ids of the execs of a container that have not ended, for inspect. */
  pending(id: ContainerId): readonly ExecId[] {
    return this.#of(id)
      .filter((session) => session.state.status !== 'exited')
      .map((session) => session.id);
  }

  /** The container's run is over: execs that were never started go at once. Source: engine-api 5.9. */
  containerStopped(id: ContainerId): void {
    for (const session of this.#of(id)) if (session.state.status === 'created') this.#drop(session);
  }

  /** The container is gone, and with it all of its execs. */
  containerRemoved(id: ContainerId): void {
    for (const session of this.#of(id)) this.#drop(session);
  }

  close(): void {
    this.#sweep?.[Symbol.dispose]();
  }

  #of(id: ContainerId): readonly ExecSession[] {
    return [...(this.#byContainer.get(id) ?? [])];
  }

  #drop(session: ExecSession): void {
    session.discard();
    this.#sessions.delete(session.id);
    const siblings = this.#byContainer.get(session.containerId);
    siblings?.delete(session);
    if (siblings?.size === 0) this.#byContainer.delete(session.containerId);
  }

  #sweepFinished(): void {
    const before = this.#clock.now().getTime() - EXEC_KEPT_MS;
    for (const session of this.#sessions.values()) {
      if (session.state.status === 'exited' && session.state.at.getTime() <= before) this.#drop(session);
    }
    this.#sweep = this.#sessions.size === 0 ? undefined : this.#clock.after(EXEC_KEPT_MS, () => this.#sweepFinished());
  }
}
