import { EngineError, isContainerId, type ContainerId, type ContainerRef } from '@fairlead/protocol';
import type { RecordTable, UnreadableRecord } from '../ports/record-store.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerRecord } from './record.ts';

/** Every container the engine knows, by id and by name. Names are taken and given back here and nowhere else. */
export class ContainerDirectory {
  readonly #table: RecordTable<ContainerRecord>;
  readonly #actors = new Map<ContainerId, ContainerActor>();
  readonly #names = new Map<string, ContainerId>();
  /** Containers whose records are damaged, as they were when the engine started. */
  readonly #damaged: readonly UnreadableRecord[];

  constructor(table: RecordTable<ContainerRecord>) {
    this.#table = table;
    this.#damaged = table.unreadable();
    for (const { key, name } of this.#damaged) {
      if (name !== undefined && isContainerId(key)) this.#names.set(name, key);
    }
  }

  /** Whether there are containers of which nothing is known but that they exist. */
  get hasDamaged(): boolean {
    return this.#damaged.length > 0;
  }

  /** Oldest first. */
  all(): readonly ContainerActor[] {
    return [...this.#actors.values()];
  }

  get(id: ContainerId): ContainerActor | undefined {
    return this.#actors.get(id);
  }

  byName(name: string): ContainerActor | undefined {
    const id = this.#names.get(name);
    return id === undefined ? undefined : this.#actors.get(id);
  }

  /** Also true of a name that is reserved for a container which is still being made. */
  isNameTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * Finds a container by full id, name (one leading slash allowed) or unique id prefix, in this order.
   * @throws EngineError 'not-found', 'invalid-argument' when empty or ambiguous, 'internal' when its record is damaged.
   *   Source: engine-api 1.7.
   */
  resolve(ref: ContainerRef): ContainerActor {
    if (ref === '') throw new EngineError('invalid-argument', 'invalid name or ID supplied: ""');
    const exact = isContainerId(ref) ? this.#actors.get(ref) : undefined;
    const named = exact ?? this.byName(ref.startsWith('/') ? ref.slice(1) : ref);
    if (named !== undefined) return named;
    const matches = /^[0-9a-f]+$/.test(ref) ? this.all().filter((actor) => actor.id.startsWith(ref)) : [];
    const [first, second] = matches;
    if (second !== undefined) {
      throw new EngineError('invalid-argument', `multiple IDs found with provided prefix: ${ref}`);
    }
    if (first !== undefined) return first;
    this.#refuseDamaged(ref);
    throw new EngineError('not-found', `No such container: ${ref}`);
  }

  /** @throws EngineError 'conflict' when another container has the name. */
  reserveName(name: string, id: ContainerId): void {
    const holder = this.#names.get(name);
    if (holder !== undefined && holder !== id) {
      throw new EngineError(
        'conflict',
        `Conflict. The container name "/${name}" is already in use by container "${holder}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      );
    }
    this.#names.set(name, id);
  }

  releaseName(name: string, id: ContainerId): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  /** Takes a container in whose record is durable and whose name is reserved. */
  add(actor: ContainerActor): void {
    this.#actors.set(actor.id, actor);
  }

  save(record: ContainerRecord): void {
    this.#table.put(record.id, record);
  }

  /** Deletes the record. Until it is forgotten, too, the container and its name are still known. */
  erase(id: ContainerId): void {
    this.#table.delete(id);
  }

  /** Knows an erased container no longer, and gives its name back. */
  forget(record: ContainerRecord): void {
    this.#actors.delete(record.id);
    for (const [name, id] of this.#names) if (id === record.id) this.#names.delete(name);
  }

  /** Also true of a record that cannot be read: what belongs to it is not an orphan. */
  isStored(id: ContainerId): boolean {
    return this.#table.has(id);
  }

  #refuseDamaged(ref: ContainerRef): void {
    const name = ref.startsWith('/') ? ref.slice(1) : ref;
    const found = this.#damaged.find((record) => record.name === name || record.key.startsWith(ref));
    if (found === undefined) return;
    throw new EngineError(
      'internal',
      `cannot load container ${found.key}: its record is damaged; its files are kept until somebody mends or deletes it`,
      { details: { containerId: found.key, name: found.name } },
    );
  }

  /** The stored records, oldest first, for the start of the engine. */
  stored(): readonly ContainerRecord[] {
    return this.#table.all().toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }
}
