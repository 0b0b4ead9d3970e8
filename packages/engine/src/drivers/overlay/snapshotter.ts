import { basename, dirname, join } from 'node:path';
import { EngineError, isContainerId, type ContainerId } from '@fairlead/protocol';
import type { HeldRoot, LayerChange, PrepareOptions, Snapshotter } from '../../core/ports/snapshotter.ts';
import { readTextAtOnce } from '../../host/at-once.ts';
import { isErrno } from '../../host/errno.ts';
import { copyOwnership } from '../../host/file-times.ts';
import {
  listDirectory,
  makeDirectories,
  makeDirectory,
  readFileBounded,
  readTextIfExists,
  removeFiles,
  removeTree,
  writeFileAtomically,
  writePlainFile,
} from '../../host/files.ts';
import { isMounted, listMounts, mountPath, UNMOUNT_FLAGS, unmountPath } from '../../host/mounts.ts';
import { runOrThrow } from '../../host/process.ts';
import { treeSizeBytes } from '../../host/tree-size.ts';
import { KeyedLock } from '../../lib/keyed-lock.ts';
import { layerChanges } from './changes.ts';
import { makeDirectoryOver } from './init-layer.ts';
import type { OverlayLayerStore } from './layer-store.ts';
import { layerTar } from './layer-tar.ts';
import { absoluteOptions, fitsIntoPage, LAYERS_MAX, relativeOptions, type OverlayStack } from './mount-options.ts';
import { probeOverlay, type OverlayAbilities } from './probe.ts';

/** 128 names of some twelve characters and a newline each fit twice. */
const LOWER_BYTES_MAX = 4096;

/** mount(8) does one system call; a kernel that takes longer is stuck. */
const MOUNT_TIMEOUT_MS = 10_000;

/** The lowest directory of an image that has no layers: overlayfs wants one. */
const EMPTY_LINK = 'empty';

const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';
const BOOT_ID_BYTES_MAX = 64;

export interface OverlayPlaces {
  /** Where layers are; also where overlayfs is tried out. */
  readonly layers: OverlayLayerStore;
  /** Each container has a directory here, named by its id, which others may use too: `upper`, `work`, `merged`, `lower`, `disposable` are ours. */
  readonly containersDirectory: string;
}

/**
 * Writable layers on overlayfs: `<containers>/<id>/{upper,work,merged}`, and
 * `lower`, which names the directories below: the image's layers, and one with the places for the engine's own mounts on them.
 *
 * No program is started, except for a stack so deep that its options exceed a page even with short names.
 */
export class OverlaySnapshotter implements Snapshotter {
  /** As Docker calls the same driver, because clients know the name. */
  readonly name = 'overlay2';
  readonly #layers: OverlayLayerStore;
  readonly #containers: string;
  readonly #abilities: OverlayAbilities;
  readonly #bootId: string;
  /** Mounted by us or found mounted: to be looked up before mounting again. */
  readonly #mounted: Set<string>;
  /** Mounted for their containers. Those of running ones were found mounted. */
  readonly #wanted: Set<string>;
  /** How many others hold each. */
  readonly #holds = new Map<ContainerId, number>();
  readonly #locks = new KeyedLock();

  private constructor(
    places: OverlayPlaces,
    host: { readonly abilities: OverlayAbilities; readonly bootId: string },
    mounted: readonly string[],
  ) {
    this.#layers = places.layers;
    this.#containers = places.containersDirectory;
    this.#abilities = host.abilities;
    this.#bootId = host.bootId;
    this.#mounted = new Set(mounted);
    this.#wanted = new Set(mounted.map((target) => basename(dirname(target))));
  }

  /** @throws EngineError 'unavailable' when overlayfs cannot be used there; the message says why and what to do. */
  static async open(places: OverlayPlaces): Promise<OverlaySnapshotter> {
    await makeDirectory(places.containersDirectory, 0o710);
    await makeDirectory(join(places.layers.directory, EMPTY_LINK, 'diff'));
    const abilities = await probeOverlay(places.layers.directory);
    const bootId = (await readFileBounded(BOOT_ID_PATH, BOOT_ID_BYTES_MAX)).toString('utf8').trim();
    const mounts = await listMounts(places.containersDirectory);
    return new OverlaySnapshotter(
      places,
      { abilities, bootId },
      mounts.map(({ target }) => target),
    );
  }

  async prepare(id: ContainerId, layerIds: readonly string[], options?: PrepareOptions): Promise<void> {
    if (layerIds.length > LAYERS_MAX) {
      throw new EngineError('invalid-argument', `max depth exceeded: ${layerIds.length} layers, at most ${LAYERS_MAX}`);
    }
    const links = layerIds.map((chainId) => this.#layers.link(chainId)).toReversed();
    const image = (links.length === 0 ? [EMPTY_LINK] : links).map((link) => `${link}/diff`);
    const lower = [await this.#layers.initLayer(image), ...image];
    const at = this.#places(id);
    await makeDirectories([
      { path: at.home, mode: 0o710 },
      { path: at.upper, mode: 0o755 },
      { path: at.work, mode: 0o700 },
      { path: at.merged, mode: 0o700 },
    ]);
    await Promise.all([
      copyOwnership(join(this.#layers.directory, lower[0] ?? ''), at.upper),
      writeFileAtomically(at.lower, lower.join('\n')),
      options?.disposable === true ? writePlainFile(at.disposable, this.#bootId, 0o600) : undefined,
    ]);
    if (options?.directory === undefined) return;
    const stack = lower.map((directory) => join(this.#layers.directory, directory));
    await makeDirectoryOver(at.upper, stack, options.directory);
  }

  async mount(id: ContainerId): Promise<string> {
    return await this.#locks.run(id, async () => {
      const path = await this.#mountNow(id);
      this.#wanted.add(id);
      return path;
    });
  }

  rootPath(id: ContainerId): string {
    return this.#places(id).merged;
  }

  async unmount(id: ContainerId): Promise<void> {
    await this.#locks.run(id, async () => {
      this.#wanted.delete(id);
      await this.#unmountUnlessHeld(id);
    });
  }

  async hold(id: ContainerId): Promise<HeldRoot> {
    const path = await this.#locks.run(id, async () => {
      const mounted = await this.#mountNow(id);
      this.#holds.set(id, (this.#holds.get(id) ?? 0) + 1);
      return mounted;
    });
    let held = true;
    return {
      path,
      [Symbol.asyncDispose]: async () => {
        if (!held) return;
        held = false;
        await this.#locks.run(id, () => this.#letGo(id));
      },
    };
  }

  async changes(id: ContainerId, signal: AbortSignal): Promise<readonly LayerChange[]> {
    const lower = (await this.#lower(id)).map((directory) => join(this.#layers.directory, directory));
    return await layerChanges(this.#places(id).upper, lower, signal);
  }

  layerTar(id: ContainerId, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return layerTar(this.#places(id).upper, signal);
  }

  async remove(id: ContainerId): Promise<void> {
    const at = this.#places(id);
    await this.unmount(id);
    // `lower` goes last: while it is there, `list` names the container and the rest is removed after a crash.
    await Promise.all([at.upper, at.work, at.merged].map(removeTree));
    await removeFiles([at.lower, at.disposable]);
  }

  async list(): Promise<readonly ContainerId[]> {
    const ids = (await listDirectory(this.#containers)).filter((name) => isContainerId(name));
    const prepared = await Promise.all(ids.map((id) => readTextIfExists(this.#places(id).lower, LOWER_BYTES_MAX)));
    return ids.filter((_, index) => prepared[index] !== undefined);
  }

  async usageBytes(id: ContainerId): Promise<number> {
    return await treeSizeBytes(this.#places(id).upper);
  }

  async describe(id: ContainerId): Promise<Readonly<Record<string, string>>> {
    const at = this.#places(id);
    const lower = await this.#lower(id);
    return {
      LowerDir: lower.map((directory) => join(this.#layers.directory, directory)).join(':'),
      MergedDir: at.merged,
      UpperDir: at.upper,
      WorkDir: at.work,
    };
  }

  async #mountNow(id: ContainerId): Promise<string> {
    const at = this.#places(id);
    if (this.#mounted.has(at.merged) && (await isMounted(at.merged))) return at.merged;
    const stack: OverlayStack = {
      layers: this.#layers.directory,
      lower: await this.#lower(id),
      upper: at.upper,
      work: at.work,
      features: [...this.#abilities.features, ...(await this.#volatileOptions(id))],
    };
    const options = absoluteOptions(stack);
    if (fitsIntoPage(options)) await mountPath({ source: 'overlay', target: at.merged, type: 'overlay', options });
    else await mountRelative(stack, at.merged);
    this.#mounted.add(at.merged);
    return at.merged;
  }

  /**
   * The option that spares a writable layer all syncs, when nobody wants it back after a crash of the host. The kernel marks
   * the layer while it is in use so, and refuses it afterwards: as long as the host runs on, nothing of it is lost.
   *
   * @throws EngineError 'internal' when the host has crashed, or was started anew, since.
   */
  async #volatileOptions(id: ContainerId): Promise<readonly string[]> {
    const { disposable, work } = this.#places(id);
    const bootId = readTextAtOnce(disposable);
    if (bootId === undefined) return [];
    if (bootId !== this.#bootId) {
      throw new EngineError('internal', `what container ${id} had written was lost when the host stopped: remove it`);
    }
    // Source: Documentation/filesystems/overlayfs.rst, "Volatile mount".
    await removeTree(join(work, 'work', 'incompat'));
    return this.#abilities.volatile;
  }

  async #letGo(id: ContainerId): Promise<void> {
    const left = (this.#holds.get(id) ?? 1) - 1;
    if (left > 0) this.#holds.set(id, left);
    else this.#holds.delete(id);
    await this.#unmountUnlessHeld(id);
  }

  async #unmountUnlessHeld(id: ContainerId): Promise<void> {
    if (this.#wanted.has(id) || this.#holds.has(id)) return;
    const { merged } = this.#places(id);
    if (!this.#mounted.has(merged)) return;
    try {
      await unmountPath(merged);
    } catch (error) {
      if (!isErrno(error, 'EBUSY')) throw error;
      // Somebody still stands in it, a shell of the host for one: out of sight now, freed when he leaves.
      await unmountPath(merged, UNMOUNT_FLAGS.detach | UNMOUNT_FLAGS.noFollow);
    }
    this.#mounted.delete(merged);
  }

  async #lower(id: ContainerId): Promise<readonly string[]> {
    const text = await readTextIfExists(this.#places(id).lower, LOWER_BYTES_MAX);
    if (text === undefined) throw new EngineError('not-found', `container ${id} has no writable layer`);
    return text.split('\n');
  }

  #places(id: ContainerId): Places {
    const home = join(this.#containers, id);
    return {
      home,
      upper: join(home, 'upper'),
      work: join(home, 'work'),
      merged: join(home, 'merged'),
      lower: join(home, 'lower'),
      disposable: join(home, 'disposable'),
    };
  }
}

interface Places {
  readonly home: string;
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
  readonly lower: string;
  /** Only there for a disposable layer: holds the boot in which it was made. */
  readonly disposable: string;
}

/** The engine's own working directory is nobody's to change, so mount(8) runs in one of its own. */
async function mountRelative(stack: OverlayStack, target: string): Promise<void> {
  const options = relativeOptions(stack);
  if (!fitsIntoPage(options))
    throw new EngineError('internal', 'the layers of this image do not fit into a page of mount options');
  await runOrThrow('mount', ['-t', 'overlay', '-o', options, 'overlay', target], {
    signal: AbortSignal.timeout(MOUNT_TIMEOUT_MS),
    cwd: stack.layers,
    // Newer versions of mount(8) pass each option by fsconfig(2), which takes 256 bytes of text.
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', LIBMOUNT_FORCE_MOUNT2: 'always' },
  });
}
