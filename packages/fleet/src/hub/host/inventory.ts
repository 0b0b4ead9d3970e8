import type { HostId, InventoryContainer, InventoryDelta } from '@fairlead/protocol/fleet';

/** What changed for those who follow. */
export interface InventoryChange {
  readonly container: string;
  /** Its state, or `removed`. */
  readonly action: string;
}

/** Containers of one host that the hub remembers; more than that no host of one engine has. */
const CONTAINERS_MAX = 20_000;

/** The containers of every host, as their agents last told. In memory: an agent tells all of them on every connection. */
export class Inventory {
  readonly #byHost = new Map<HostId, Map<string, InventoryContainer>>();

  of(host: HostId): ReadonlyMap<string, InventoryContainer> | undefined {
    return this.#byHost.get(host);
  }

  /** Takes what an agent tells, and gives back what changed in a state that people see. */
  merge(host: HostId, delta: InventoryDelta): readonly InventoryChange[] {
    const before = this.#byHost.get(host) ?? new Map<string, InventoryContainer>();
    const after = delta.full ? new Map<string, InventoryContainer>() : new Map(before);
    for (const id of delta.removed) after.delete(id);
    for (const container of delta.changed) if (after.size < CONTAINERS_MAX) after.set(container.id, container);
    this.#byHost.set(host, after);
    return changesBetween(before, after);
  }

  forget(host: HostId): void {
    this.#byHost.delete(host);
  }
}

function changesBetween(
  before: ReadonlyMap<string, InventoryContainer>,
  after: ReadonlyMap<string, InventoryContainer>,
): readonly InventoryChange[] {
  const gone = [...before.values()].filter(({ id }) => !after.has(id));
  const changed = [...after.values()].filter(({ id, state }) => before.get(id)?.state !== state);
  return [
    ...gone.map(({ name }) => ({ container: name, action: 'removed' })),
    ...changed.map(({ name, state }) => ({ container: name, action: state })),
  ];
}
