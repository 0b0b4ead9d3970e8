import type { ContainerSummary } from '@fairlead/protocol';
import type { InventoryContainer, InventoryDelta } from '@fairlead/protocol/fleet';

/** Containers in one message: with labels some 100 KB. */
const CHUNK_CONTAINERS_MAX = 200;
/** And characters: a message of NATS holds 1 MiB. */
const CHUNK_CHARACTERS_MAX: number = 256 * 1024;

/** What the hub knows of this host's containers, so that only what changed is told. Of each only a short text is kept. */
export class Inventory {
  readonly #known = new Map<string, string>();

  /** Containers known to the hub, and how many of them run. */
  counts(): { readonly containers: number; readonly running: number } {
    const states = [...this.#known.values()];
    return { containers: states.length, running: states.filter((text) => text.startsWith('running ')).length };
  }

  /** All there are, in messages of bounded size; the first one is `full`. */
  full(list: readonly ContainerSummary[]): readonly InventoryDelta[] {
    this.#known.clear();
    return this.#deltas(list.map(shown), { full: true, removed: [] });
  }

  /** What is new among all there are. */
  resync(list: readonly ContainerSummary[]): readonly InventoryDelta[] {
    const present = new Set(list.map(({ Id }) => Id));
    return this.#changes(
      list,
      [...this.#known.keys()].filter((id) => !present.has(id)),
    );
  }

  /** What is new of the containers that were asked for; those not found are gone. */
  update(ids: readonly string[], found: readonly ContainerSummary[]): readonly InventoryDelta[] {
    const present = new Set(found.map(({ Id }) => Id));
    return this.#changes(
      found,
      ids.filter((id) => !present.has(id) && this.#known.has(id)),
    );
  }

  #changes(list: readonly ContainerSummary[], removed: readonly string[]): readonly InventoryDelta[] {
    const changed = list.map(shown).filter((container) => this.#known.get(container.id) !== textOf(container));
    return changed.length === 0 && removed.length === 0 ? [] : this.#deltas(changed, { full: false, removed });
  }

  #deltas(
    changed: readonly InventoryContainer[],
    { full, removed }: Pick<InventoryDelta, 'full' | 'removed'>,
  ): readonly InventoryDelta[] {
    for (const id of removed) this.#known.delete(id);
    for (const container of changed) this.#known.set(container.id, textOf(container));
    const chunks = chunksOf(changed);
    return chunks.map((chunk, index) => ({
      full: full && index === 0,
      changed: chunk,
      removed: index === 0 ? removed : [],
    }));
  }
}

/** At least one chunk, also of nothing. */
function chunksOf(all: readonly InventoryContainer[]): readonly (readonly InventoryContainer[])[] {
  const chunks: InventoryContainer[][] = [[]];
  let characters = 0;
  for (const container of all) {
    const size = JSON.stringify(container).length;
    const last = chunks.at(-1) ?? [];
    const fits = last.length < CHUNK_CONTAINERS_MAX && characters + size <= CHUNK_CHARACTERS_MAX;
    if (fits || last.length === 0) last.push(container);
    else chunks.push([container]);
    characters = fits ? characters + size : size;
  }
  return chunks;
}

/** Labels of a container that are told, and characters of each: the hub takes no more. */
const LABELS_MAX = 256;
const LABEL_CHARACTERS_MAX = 4_096;

function shown({ Id, Names, Image, State, Status, Labels }: ContainerSummary): InventoryContainer {
  const name = Names.map((one) => one.replace(/^\//, '')).find((one) => !one.includes('/')) ?? '';
  // Podman says null where there are none.
  const labels = Object.entries(Labels ?? {}).slice(0, LABELS_MAX);
  const cut = Object.fromEntries(labels.map(([key, value]) => [key, value.slice(0, LABEL_CHARACTERS_MAX)]));
  return { id: Id, name, image: Image, state: State, status: Status, labels: cut };
}

/** What makes a difference. The status counts seconds, so it does not; but it tells health and exit code. */
function textOf({ name, image, state, status, labels }: InventoryContainer): string {
  const steady = /\((?:un)?health[^)]*\)|\(\d+\)/.exec(status)?.[0] ?? '';
  return `${state} ${steady} ${name} ${image} ${JSON.stringify(labels)}`;
}
