import { buffer } from 'node:stream/consumers';
import type { ProgressMessage } from '@fairlead/protocol';
import { FileContentStore } from '../../../drivers/content-fs/content-store.ts';
import { OverlayLayerStore } from '../../../drivers/overlay/layer-store.ts';
import { tmpfsRoot } from '../../../drivers/overlay/test/tmpfs-root.ts';
import { decompress } from '../../../host/decompress.ts';
import { readTar } from '../../../host/tar.ts';
import { silentLog, type Log } from '../../../lib/log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordTable } from '../../ports/record-store.ts';
import type { ImageDeps, ImageEvent } from '../deps.ts';
import { ImageDirectory } from '../directory.ts';
import { loadImages } from '../load.ts';
import type { ImageRecord } from '../record.ts';
import type { ImageUser } from '../user.ts';

/** When everything in these tests happens. */
export const NOW: Date = new Date('2026-03-04T05:06:07Z');

/** The images of an engine on the real stores, with records in memory, and containers as the test says. */
export interface ImageScene extends ImageDeps, AsyncDisposable {
  readonly root: string;
  readonly layers: OverlayLayerStore;
  readonly table: RecordTable<ImageRecord>;
  /** `action name`, in order. */
  readonly events: string[];
  readonly failures: unknown[];
  /** The containers that exist. */
  readonly users: ImageUser[];
  /** Loads an archive to its end. @returns the lines' texts. */
  load(archive: Uint8Array, options?: { readonly quiet?: boolean }): Promise<readonly ProgressMessage[]>;
  /** The same stores with a new directory, as after a restart. */
  reopened(): ImageDirectory;
}

export async function imageScene(): Promise<ImageScene> {
  const place = await tmpfsRoot();
  const events: string[] = [];
  const failures: unknown[] = [];
  const users: ImageUser[] = [];
  const log: Log = { ...silentLog, failure: (_name, error) => void failures.push(error) };
  const table = memoryTable();
  const content = await FileContentStore.open(place.path);
  const layers = await OverlayLayerStore.open(place.path, log);
  const reopened = (): ImageDirectory => new ImageDirectory({ table, content, layers, log, imageUsers: () => users });
  const deps: ImageDeps = {
    directory: reopened(),
    content,
    layers,
    archives: { decompress, entries: readTar },
    clock: fixedClock,
    log,
    platform: { os: 'linux', architecture: 'amd64', variant: '' },
    engineVersion: '1.2.3',
    publish: ({ action, attributes }: ImageEvent) => void events.push(`${action} ${attributes['name']}`),
  };
  return {
    ...deps,
    ...{ root: place.path, layers, table, events, failures, users, reopened },
    load: async (archive, options = {}) => {
      const lines = loadImages(deps, inChunks(archive), { quiet: options.quiet ?? true, signal: never });
      return await Array.fromAsync(lines);
    },
    async [Symbol.asyncDispose]() {
      await deps.directory.collect();
      await layers[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

export const never: AbortSignal = new AbortController().signal;

export async function* inChunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** A whole stream as text. */
export async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  return (await buffer(stream)).toString('utf8');
}

const fixedClock: Clock = {
  now: () => NOW,
  monotonicMs: () => 0,
  after: () => ({ [Symbol.dispose]: () => {} }),
};

function memoryTable(): RecordTable<ImageRecord> {
  const records = new Map<string, ImageRecord>();
  return {
    get: (key) => records.get(key),
    has: (key) => records.has(key),
    all: () => [...records.values()],
    unreadable: () => [],
    put: (key, record) => void records.set(key, record),
    delete: (key) => void records.delete(key),
  };
}
