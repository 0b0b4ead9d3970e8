import type { HostId } from '@fairlead/protocol/fleet';
import type { OperationRecord } from './record.ts';

/** The operations without an end, and those that ended a moment ago and are not on disk yet: by id, by key, by host. */
export class OpenOperations {
  readonly #byId = new Map<string, OperationRecord>();
  readonly #idByKey = new Map<string, string>();
  readonly #idsByHost = new Map<HostId, Set<string>>();
  readonly #unclaimed = new Set<string>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): OperationRecord | undefined {
    return this.#byId.get(id);
  }

  byKey(key: string): OperationRecord | undefined {
    const id = this.#idByKey.get(key);
    return id === undefined ? undefined : this.#byId.get(id);
  }

  ofHost(host: HostId): readonly OperationRecord[] {
    return [...(this.#idsByHost.get(host) ?? [])].flatMap((id) => this.#byId.get(id) ?? []);
  }

  /** Those that nobody has claimed, the oldest first. */
  *unclaimed(): Generator<OperationRecord> {
    for (const id of this.#unclaimed) {
      const record = this.#byId.get(id);
      if (record !== undefined) yield record;
    }
  }

  put(record: OperationRecord): void {
    const { id, key, host, life } = record;
    if (!this.#byId.has(id)) {
      this.#idByKey.set(key, id);
      const ids = this.#idsByHost.get(host) ?? new Set();
      this.#idsByHost.set(host, ids.add(id));
    }
    this.#byId.set(id, record);
    if (life.claimed || (life.state !== 'SUBMITTED' && life.state !== 'QUEUED')) this.#unclaimed.delete(id);
    else this.#unclaimed.add(id);
  }

  remove({ id, key, host }: OperationRecord): void {
    this.#byId.delete(id);
    this.#idByKey.delete(key);
    this.#unclaimed.delete(id);
    const ids = this.#idsByHost.get(host);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsByHost.delete(host);
  }
}
