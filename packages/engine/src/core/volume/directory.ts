import { EngineError, type ContainerId } from '@fairlead/protocol';
import { KeyedLock } from '../../lib/keyed-lock.ts';
import type { RecordTable } from '../ports/record-store.ts';
import type { VolumeRecord } from './record.ts';
import type { VolumeUser } from './user.ts';

/** Every volume the engine knows, and who uses it. */
export class VolumeDirectory {
  readonly #table: RecordTable<VolumeRecord>;
  readonly #users: () => readonly VolumeUser[];
  readonly #records: Map<string, VolumeRecord>;
  readonly #holds = new Map<ContainerId, Set<string>>();
  readonly #lock = new KeyedLock();

  /** `users`: every container there is, running or not. */
  constructor(table: RecordTable<VolumeRecord>, users: () => readonly VolumeUser[]) {
    this.#table = table;
    this.#users = users;
    this.#records = new Map(table.all().map((record) => [record.name, record]));
  }

  /** By name. */
  all(): readonly VolumeRecord[] {
    return [...this.#records.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): VolumeRecord | undefined {
    return this.#records.get(name);
  }

  /** @throws EngineError 'not-found' `get NAME: no such volume`; 'internal' for one whose record cannot be read. */
  resolve(name: string): VolumeRecord {
    const record = this.#records.get(name);
    if (record !== undefined) return record;
    if (this.isStored(name)) throw new EngineError('internal', `get ${name}: the record of this volume cannot be read`);
    throw new EngineError('not-found', `get ${name}: no such volume`);
  }

  /** Also true of a record that cannot be read: the content that belongs to it is nobody else's. */
  isStored(name: string): boolean {
    return this.#table.has(name);
  }

  /** The containers that use a volume, running or not, and those being made that will; `except` is not counted. */
  usersOf(name: string, except?: ContainerId): readonly ContainerId[] {
    const using = this.#users().flatMap((user) => (user.volumeNames.has(name) ? [user.containerId] : []));
    const making = [...this.#holds].flatMap(([id, names]) => (names.has(name) ? [id] : []));
    return [...new Set([...using, ...making])].filter((id) => id !== except);
  }

  /** Whether a container other than `except` needs it mounted now. */
  isNeeded(name: string, except?: ContainerId): boolean {
    return this.#users().some((user) => user.isUp && user.containerId !== except && user.volumeNames.has(name));
  }

  /** Keeps a volume for a container that has no record yet: within what `holding` gave. */
  hold(name: string, holder: ContainerId): void {
    const names = this.#holds.get(holder);
    if (names === undefined) this.#holds.set(holder, new Set([name]));
    else names.add(name);
  }

  /** Until disposed, what `hold` keeps for this container is in use. */
  holding(holder: ContainerId): Disposable {
    return { [Symbol.dispose]: () => void this.#holds.delete(holder) };
  }

  save(record: VolumeRecord): void {
    this.#table.put(record.name, record);
    this.#records.set(record.name, record);
  }

  forget(name: string): void {
    this.#table.delete(name);
    this.#records.delete(name);
  }

  /** Runs work on one volume, when whatever else was going on with it has ended. Not re-entrant. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(name, work);
  }
}
