import type { RunResult } from './state.ts';
import type { ContainerState, LastRun } from './state.ts';

/** Who wants to know what becomes of one container. */
export class ActorListeners {
  readonly #watchers = new Set<(state: ContainerState) => void>();
  readonly #exits = new Set<(last: LastRun) => void>();
  readonly #removals = new Set<(result: RunResult) => void>();
  #gone: RunResult | undefined;

  /** How it ended once and for all; undefined while it exists. */
  get gone(): RunResult | undefined {
    return this.#gone;
  }

  /** Calls back after each change of state, until disposed. */
  watch(watcher: (state: ContainerState) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  /** Calls back once, after the next exit. */
  onNextExit(listener: (last: LastRun) => void): Disposable {
    this.#exits.add(listener);
    return { [Symbol.dispose]: () => void this.#exits.delete(listener) };
  }

  /** Calls back once, when the container no longer exists; at once if it does not. */
  onRemoved(listener: (result: RunResult) => void): Disposable {
    if (this.#gone === undefined) this.#removals.add(listener);
    else listener(this.#gone);
    return { [Symbol.dispose]: () => void this.#removals.delete(listener) };
  }

  tellChanged(state: ContainerState): void {
    for (const watcher of [...this.#watchers]) watcher(state);
  }

  tellExited(last: LastRun): void {
    const exits = [...this.#exits];
    this.#exits.clear();
    for (const listener of exits) listener(last);
  }

  tellGone(result: RunResult): void {
    this.#gone = result;
    for (const listener of this.#removals) listener(result);
    this.#removals.clear();
  }
}
