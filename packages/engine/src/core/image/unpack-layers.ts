import { EngineError, shortId, type ProgressMessage } from '@fairlead/protocol';
import type { Blob } from '../ports/content-store.ts';
import { chainIdsOf } from './config-document.ts';
import type { ImageDeps } from './deps.ts';
import { progressLine } from './progress-line.ts';

/** What a compressed layer may swell to: as much as one that comes without compression. */
export const LAYER_BYTES_MAX: number = 256 * 1024 ** 3;

/** Docker tells of progress as often. Source: moby, pkg/progress/progressreader.go and its rate limit. */
const PROGRESS_INTERVAL_MS = 100;

export interface LayerSources {
  /** Lowest first. */
  readonly diffIds: readonly string[];
  /** The tar of each, compressed or not. */
  readonly blobs: readonly Blob[];
}

/**
 * Unpacks those layers that are not there yet, lowest first, telling of each as it goes.
 * @throws EngineError 'invalid-argument' when a blob is not the layer that the config names; `signal.reason`.
 */
export async function* unpackLayers(
  deps: Pick<ImageDeps, 'content' | 'layers' | 'archives'>,
  sources: LayerSources,
  signal: AbortSignal,
): AsyncGenerator<ProgressMessage, void, undefined> {
  const chainIds = chainIdsOf(sources.diffIds);
  for (const [index, chainId] of chainIds.entries()) {
    const blob = sources.blobs[index];
    const diffId = sources.diffIds[index];
    if (blob === undefined || diffId === undefined)
      throw new EngineError('internal', 'an image has more layers than blobs');
    if (deps.layers.has(chainId)) continue;
    const read = { bytes: 0 };
    const open = (): AsyncIterable<Uint8Array> =>
      limited(deps.archives.decompress(counted(deps.content.read(blob.digest), read)));
    const done = deps.layers.unpack({ chainId, parentChainId: chainIds[index - 1], diffId }, open, signal);
    yield* told(done, () =>
      progressLine('Loading layer', shortId(diffId), { current: read.bytes, total: blob.sizeBytes }),
    );
  }
}

/** Tells where the work stands, now and then, and once at its end. Left early, it waits for the work all the same. */
async function* told(
  work: Promise<void>,
  line: () => ProgressMessage,
): AsyncGenerator<ProgressMessage, void, undefined> {
  const ended = work.then(() => true);
  try {
    while (!(await endsWithin(ended, PROGRESS_INTERVAL_MS))) yield line();
    yield line();
  } finally {
    // A failure was thrown above, or nobody is left to hear of it.
    await Promise.allSettled([ended]);
  }
}

async function endsWithin(ended: Promise<boolean>, ms: number): Promise<boolean> {
  const turn = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => turn.resolve(false), ms);
  try {
    return await Promise.race([ended, turn.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  read: { bytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    read.bytes += chunk.byteLength;
    yield chunk;
  }
}

async function* limited(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > LAYER_BYTES_MAX) throw new EngineError('too-large', `layer exceeds ${LAYER_BYTES_MAX} bytes`);
    yield chunk;
  }
}
