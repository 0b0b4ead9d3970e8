import type { OperationRecord } from './record.ts';

type Listener = (record: OperationRecord) => void;

/** Who wants to know when an operation changes. A listener is called when the change is on disk, and must not throw. */
export class Watchers {
  readonly #byId = new Map<string, Set<Listener>>();

  watch(ids: readonly string[], listener: Listener): Disposable {
    for (const id of ids) {
      const listeners = this.#byId.get(id);
      if (listeners === undefined) this.#byId.set(id, new Set([listener]));
      else listeners.add(listener);
    }
    return {
      [Symbol.dispose]: () => {
        for (const id of ids) {
          const listeners = this.#byId.get(id);
          listeners?.delete(listener);
          if (listeners?.size === 0) this.#byId.delete(id);
        }
      },
    };
  }

  tell(record: OperationRecord): void {
    for (const listener of this.#byId.get(record.id) ?? []) listener(record);
  }
}
