import { createHash, randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import type { Digest } from '../../core/ports/content-store.ts';
import type { LayerStore, UnpackLayer } from '../../core/ports/layer-store.ts';
import { copyOwnership } from '../../host/file-times.ts';
import {
  listDirectory,
  makeDirectory,
  movePath,
  pathExists,
  readTextIfExists,
  removeTree,
  writeFileAtomically,
} from '../../host/files.ts';
import { syncFileSystem } from '../../host/sync.ts';
import { makeUnpackJail, unpackTar, type UnpackJail } from '../../host/unpack-tar.ts';
import { KeyedLock } from '../../lib/keyed-lock.ts';
import type { Log } from '../../lib/log.ts';
import { fillInitLayer } from './init-layer.ts';
import { LAYER_RECORD_BYTES_MAX, parseLayerRecord, type LayerRecord } from './layer-record.ts';
import { convertWhiteouts } from './whiteouts.ts';

/** Characters of a layer's directory name: short, because 127 of them must fit into a page of mount options. */
const LINK_CHARACTERS = 6;
const LINK_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const LINK = /^[0-9a-z]{6}$/;

/**
 * How long after an unpacking the file system is synced. The kernel writes dirty pages back after 30 s by itself
 * (vm.dirty_expire_centisecs), so that there is little left to write then, and nothing waits for it.
 */
export const SYNC_DELAY_MS = 60_000;

const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';
const BOOT_ID_BYTES_MAX = 128;

interface Layer {
  readonly link: string;
  readonly record: LayerRecord;
}

interface LayerPlaces {
  readonly directory: string;
  readonly jail: UnpackJail;
  readonly bootId: string;
}

/**
 * Unpacked layers as directories: `<root>/layers/<link>/{diff,layer.json}`, where `link` is a short random name.
 *
 * A layer is unpacked under `<root>/layers/incoming` and moved when it is whole; what a crash left there is removed by
 * `open`. Nothing is synced on the way; {@link SYNC_DELAY_MS} later the file system is, in the background, and a layer that
 * had not been when the machine went down is dropped by `open`: it can be unpacked again from its blob.
 */
export class OverlayLayerStore implements LayerStore, AsyncDisposable {
  readonly #directory: string;
  readonly #jail: UnpackJail;
  readonly #bootId: string;
  readonly #log: Log;
  readonly #layers = new Map<Digest, Layer>();
  readonly #unpacking = new Map<Digest, Promise<void>>();
  readonly #unsynced = new Set<Digest>();
  readonly #locks = new KeyedLock();
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;

  private constructor(places: LayerPlaces, log: Log) {
    this.#directory = places.directory;
    this.#jail = places.jail;
    this.#bootId = places.bootId;
    this.#log = log;
  }

  /** @throws an errno error when the root is not writable. */
  static async open(root: string, log: Log): Promise<OverlayLayerStore> {
    const directory = join(root, 'layers');
    await makeDirectory(directory, 0o700);
    const jail = await makeUnpackJail(join(directory, 'jail'));
    const bootId = (await readTextIfExists(BOOT_ID_PATH, BOOT_ID_BYTES_MAX)) ?? '';
    const store = new OverlayLayerStore({ directory, jail, bootId: bootId.trim() }, log);
    await store.#restore();
    return store;
  }

  has(chainId: Digest): boolean {
    return this.#layers.has(chainId);
  }

  async unpack(layer: UnpackLayer, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.has(layer.chainId)) return;
      const running = this.#unpacking.get(layer.chainId);
      if (running === undefined) break;
      // Another caller's unpacking may fail for a reason of its own (its client left): then this caller tries itself.
      await running.catch(() => {});
    }
    const work = this.#unpack(layer, open, signal);
    this.#unpacking.set(layer.chainId, work);
    try {
      await work;
    } finally {
      this.#unpacking.delete(layer.chainId);
    }
    this.#syncSoon();
  }

  sizeBytes(chainId: Digest): number {
    return this.#layer(chainId).record.sizeBytes;
  }

  path(chainId: Digest): string {
    return join(this.#directory, this.link(chainId), 'diff');
  }

  /** Path within {@link directory} that names the layer in overlay's options. @throws EngineError 'not-found'. */
  link(chainId: Digest): string {
    return this.#layer(chainId).link;
  }

  /**
   * The directory that lies between an image's layers and a container's own, see {@link fillInitLayer}; made when it is first asked for,
   * and removed with the topmost layer.
   * @param lower the image's layers, the topmost first: directories within {@link directory} @returns another one
   */
  async initLayer(lower: readonly string[]): Promise<string> {
    const init = join(dirname(lower[0] ?? ''), 'init');
    await this.#locks.run(init, () => this.#makeInitLayer(init, lower));
    return init;
  }

  /** Absolute path in which the links are. */
  get directory(): string {
    return this.#directory;
  }

  async remove(chainId: Digest): Promise<void> {
    const layer = this.#layers.get(chainId);
    if (layer === undefined) return;
    this.#layers.delete(chainId);
    this.#unsynced.delete(chainId);
    // Out of the way in one step first, so that a crash leaves no half layer that looks whole.
    const grave = join(this.#directory, 'incoming', `${layer.link}-removed-${this.#newLink()}`);
    await movePath(join(this.#directory, layer.link), grave);
    await removeTree(grave);
  }

  list(): readonly Digest[] {
    return [...this.#layers.keys()];
  }

  /** Starts no more syncing; what is not on disk is marked as such, and the next `open` goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#syncTimer);
    await this.#syncing;
  }

  #layer(chainId: Digest): Layer {
    const layer = this.#layers.get(chainId);
    if (layer === undefined) throw new EngineError('not-found', `layer ${chainId} does not exist`);
    return layer;
  }

  async #restore(): Promise<void> {
    await removeTree(join(this.#directory, 'incoming'));
    await makeDirectory(join(this.#directory, 'incoming'), 0o700);
    const links = (await listDirectory(this.#directory)).filter((name) => LINK.test(name));
    await Promise.all(links.map((link) => this.#restoreLayer(link)));
    if (this.#unsynced.size > 0) this.#syncSoon();
  }

  async #restoreLayer(link: string): Promise<void> {
    const path = join(this.#directory, link);
    try {
      const record = parseLayerRecord((await readTextIfExists(join(path, 'layer.json'), LAYER_RECORD_BYTES_MAX)) ?? '');
      const lost = record.unsyncedInBoot !== null && record.unsyncedInBoot !== this.#bootId;
      if (lost || this.has(record.chainId)) {
        this.#log.warning('layer.dropped', { chainId: record.chainId, reason: lost ? 'not-on-disk' : 'twice' });
        return await removeTree(path);
      }
      this.#layers.set(record.chainId, { link, record });
      if (record.unsyncedInBoot !== null) this.#unsynced.add(record.chainId);
    } catch (error) {
      // It stays on disk for a person to look at; the image that needs it unpacks it again.
      this.#log.failure('layer.unreadable', error, { path });
    }
  }

  async #unpack(layer: UnpackLayer, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const link = this.#newLink();
    const incoming = join(this.#directory, 'incoming', link);
    const diff = join(incoming, 'diff');
    try {
      await makeDirectory(diff);
      // The root directory's owner and mode come from below, unless the layer has an entry for it.
      if (layer.parentChainId !== undefined) await copyOwnership(this.path(layer.parentChainId), diff);
      const hash = createHash('sha256');
      const found = await unpackTar({ jail: this.#jail, directory: diff }, hashed(open(), hash), signal);
      const diffId = `sha256:${hash.digest('hex')}`;
      if (diffId !== layer.diffId) {
        throw new EngineError('invalid-argument', `layer has digest ${diffId}, expected ${layer.diffId}`);
      }
      await convertWhiteouts(diff, found.whiteouts, layer.parentChainId === undefined);
      const record: LayerRecord = {
        version: 1,
        chainId: layer.chainId,
        parentChainId: layer.parentChainId ?? null,
        diffId,
        sizeBytes: found.sizeBytes,
        unsyncedInBoot: this.#bootId,
      };
      await writeFileAtomically(join(incoming, 'layer.json'), JSON.stringify(record));
      await movePath(incoming, join(this.#directory, link));
      this.#layers.set(layer.chainId, { link, record });
      this.#unsynced.add(layer.chainId);
    } catch (error) {
      await removeTree(incoming);
      throw error;
    }
  }

  async #makeInitLayer(init: string, lower: readonly string[]): Promise<void> {
    if (await pathExists(join(this.#directory, init))) return;
    const incoming = join(this.#directory, 'incoming', this.#newLink());
    try {
      await makeDirectory(incoming);
      await fillInitLayer(
        incoming,
        lower.map((path) => join(this.#directory, path)),
      );
      await movePath(incoming, join(this.#directory, init));
    } catch (error) {
      await removeTree(incoming);
      throw error;
    }
  }

  #newLink(): string {
    const taken = new Set([...this.#layers.values()].map(({ link }) => link));
    for (;;) {
      const link = Array.from({ length: LINK_CHARACTERS }, () => LINK_ALPHABET[randomInt(LINK_ALPHABET.length)]).join(
        '',
      );
      if (!taken.has(link)) return link;
    }
  }

  #syncSoon(): void {
    if (this.#syncTimer !== undefined) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncing = this.#sync()
        .catch((error: unknown) => this.#log.failure('layer.sync-failed', error, { directory: this.#directory }))
        .finally(() => {
          this.#syncTimer = undefined;
          if (this.#unsynced.size > 0) this.#syncSoon();
        });
    }, SYNC_DELAY_MS);
    this.#syncTimer.unref();
  }

  async #sync(): Promise<void> {
    const batch = [...this.#unsynced];
    await syncFileSystem(this.#directory);
    for (const chainId of batch) await this.#markSynced(chainId);
  }

  async #markSynced(chainId: Digest): Promise<void> {
    this.#unsynced.delete(chainId);
    const layer = this.#layers.get(chainId);
    if (layer === undefined) return;
    const record = { ...layer.record, unsyncedInBoot: null };
    this.#layers.set(chainId, { link: layer.link, record });
    try {
      await writeFileAtomically(join(this.#directory, layer.link, 'layer.json'), JSON.stringify(record));
    } catch (error) {
      // Removed meanwhile: there is nothing left to mark.
      if (this.has(chainId)) throw error;
    }
  }
}

async function* hashed(
  source: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
