import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { layerTar, type LayerEntry } from '@fairlead/testkit';
import { silentLog } from '../../../lib/log.ts';
import { OverlayLayerStore } from '../layer-store.ts';
import { OverlaySnapshotter } from '../snapshotter.ts';
import { tmpfsRoot } from './tmpfs-root.ts';

/** Layers and snapshots on a file system of their own. */
export interface OverlayScene extends AsyncDisposable {
  readonly root: string;
  readonly store: OverlayLayerStore;
  readonly snapshots: OverlaySnapshotter;
  /** Unpacks layers on top of each other, lowest first. @returns their chain ids. */
  stack(...layers: readonly (readonly LayerEntry[])[]): Promise<readonly string[]>;
  /** The same, with one more layer on top, given as a tar. */
  stackBytes(layers: readonly (readonly LayerEntry[])[], top: Uint8Array): Promise<readonly string[]>;
}

export async function overlayScene(): Promise<OverlayScene> {
  const place = await tmpfsRoot();
  const store = await OverlayLayerStore.open(place.path, silentLog);
  const snapshots = await OverlaySnapshotter.open({
    layers: store,
    containersDirectory: join(place.path, 'containers'),
  });
  return {
    root: place.path,
    store,
    snapshots,
    stack: async (...layers) => await unpackAll(store, await Promise.all(layers.map(layerTar))),
    stackBytes: async (layers, top) => await unpackAll(store, [...(await Promise.all(layers.map(layerTar))), top]),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

async function unpackAll(store: OverlayLayerStore, tars: readonly Uint8Array[]): Promise<readonly string[]> {
  const chainIds: string[] = [];
  for (const bytes of tars) {
    const diffId = digestOf(bytes);
    const parentChainId = chainIds.at(-1);
    const chainId = parentChainId === undefined ? diffId : digestOf(`${parentChainId} ${diffId}`);
    await store.unpack({ chainId, parentChainId, diffId }, () => once(bytes), new AbortController().signal);
    chainIds.push(chainId);
  }
  return chainIds;
}

function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
