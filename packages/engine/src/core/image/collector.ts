import type { Log } from '../../lib/log.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { LayerStore } from '../ports/layer-store.ts';

/** What must stay. */
export interface InUse {
  readonly layers: ReadonlySet<string>;
  readonly blobs: ReadonlySet<string>;
}

export interface CollectorDeps {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly log: Log;
  /**
   * Asked anew for every sweep: by images and containers that exist then. Undefined when some of them are damaged, so that
   * nobody knows what they use: then nothing is deleted.
   */
  readonly inUse: () => InUse | undefined;
}

/**
 * Deletes layers and blobs that nothing uses any more, and never one that somebody is about to use.
 *
 * A load writes blobs and layers before there is a record that names them. So loads and sweeps exclude each other: loads
 * run side by side, a sweep waits until none runs, and a load that comes meanwhile waits for the sweep.
 */
export class Collector {
  readonly #deps: CollectorDeps;
  readonly #retained = new Map<string, number>();
  #loads = 0;
  #sweeping: Promise<void> | undefined;
  #wanted = false;

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  /** Begins a load: until it is disposed nothing is deleted. */
  async enterLoad(): Promise<Disposable> {
    this.#loads += 1;
    await this.#sweeping;
    return once(() => {
      this.#loads -= 1;
      if (this.#loads === 0 && this.#wanted) void this.collect();
    });
  }

  /** Keeps layers that no record names yet, until disposed: a container is being made from them. */
  retain(layerIds: readonly string[]): Disposable {
    for (const id of layerIds) this.#retained.set(id, (this.#retained.get(id) ?? 0) + 1);
    return once(() => {
      for (const id of layerIds) this.#release(id);
    });
  }

  /**
   * Deletes what is not in use, now or, while a load runs, when the last one has ended: then it returns at once.
   * What cannot be deleted is logged and tried again the next time. Never throws.
   */
  async collect(): Promise<void> {
    this.#wanted = true;
    if (this.#loads > 0) return;
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    await this.#sweeping;
  }

  #release(id: string): void {
    const count = (this.#retained.get(id) ?? 1) - 1;
    if (count > 0) this.#retained.set(id, count);
    else this.#retained.delete(id);
  }

  async #sweep(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false;
      try {
        await this.#sweepOnce();
      } catch (error) {
        this.#deps.log.failure('image.collect.failed', error);
      }
    }
  }

  async #sweepOnce(): Promise<void> {
    const { content, layers, log, inUse } = this.#deps;
    const used = inUse();
    if (used === undefined) return log.warning('image.collect.suspended', { reason: 'damaged-records' });
    for (const chainId of layers.list()) {
      // Asked again for each: a container may be made while the files of another layer are being deleted.
      if (used.layers.has(chainId) || this.#retained.has(chainId) || inUse()?.layers.has(chainId) !== false) continue;
      await layers.remove(chainId);
      log.detail('image.layer.removed', { chainId });
    }
    for (const digest of await content.list()) {
      if (used.blobs.has(digest) || inUse()?.blobs.has(digest) !== false) continue;
      await content.delete(digest);
      log.detail('image.blob.removed', { digest });
    }
  }
}

function once(release: () => void): Disposable {
  let held = true;
  return {
    [Symbol.dispose]: () => {
      if (!held) return;
      held = false;
      release();
    },
  };
}
