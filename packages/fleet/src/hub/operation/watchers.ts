import type { OperationRecord } from './record.ts';

type Listener = (record: OperationRecord) => void;

/** Who wants to know when an operation changes. A listener is called when the change is on disk, and must not throw. */
export class Watchers {
  readonly #byId = new Map<string, Set<Listener>>();

  watch(id: string, listener: Listener): Disposable {
    const listeners = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, listeners.add(listener));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#byId.get(id) === listeners) this.#byId.delete(id);
      },
    };
  }

  tell(record: OperationRecord): void {
    for (const listener of this.#byId.get(record.id) ?? []) listener(record);
  }
}
