import { EngineError, imageId, toFamiliar, type ImageId, type ProgressMessage } from '@fairlead/protocol';
import type { Blob } from '../ports/content-store.ts';
import { digestInName, planArchive, type PlannedImage } from './archive-plan.ts';
import { chainIdsOf, CONFIG_BYTES_MAX, dateOf, parseConfigDocument, type ConfigDocument } from './config-document.ts';
import type { ImageDeps } from './deps.ts';
import { imageEvent } from './event.ts';
import { IncomingArchive } from './incoming-archive.ts';
import type { ImageRecord } from './record.ts';
import { unpackLayers } from './unpack-layers.ts';

export interface LoadImages {
  /** No progress of layers. */
  readonly quiet: boolean;
}

type LoadDeps = Omit<ImageDeps, 'engineVersion'>;

/**
 * Takes in the images of an archive, compressed or not: what docker save writes, before and since 25.0, or an OCI layout.
 *
 * An image appears when all of it is there; images before a damaged one stay, as with Docker. Nothing else of a load that
 * failed or was aborted is kept.
 * @param source ends when the archive does; read to its end.
 * @throws EngineError 'invalid-argument', 'too-large'; an error of `source`; `signal.reason`.
 */
export async function* loadImages(
  deps: LoadDeps,
  source: AsyncIterable<Uint8Array>,
  options: LoadImages & { readonly signal: AbortSignal },
): AsyncGenerator<ProgressMessage, void, undefined> {
  using _load = await deps.directory.enterLoad();
  try {
    const archive = await IncomingArchive.receive(deps, source, options.signal);
    const unnamed: ImageId[] = [];
    let named = 0;
    for (const planned of await planArchive(archive, deps.platform)) {
      const incoming = await readImage(deps, archive, { planned, signal: options.signal });
      yield* shown(unpackLayers(deps, incoming, options.signal), options);
      const { id } = incoming.record;
      const lines = keepImage(deps, incoming, planned.tags);
      yield* lines;
      named = planned.tags.length;
      unnamed.push(id);
      deps.publish(imageEvent(incoming.record, 'load'));
    }
    // Docker names the ids only when the last image had no tag. Source: moby v28, daemon/internal/image/tarexport/load.go.
    if (named === 0 && unnamed.length > 0) yield { stream: unnamed.map((id) => `Loaded image ID: ${id}\n`).join('') };
  } finally {
    // What was written and is not part of an image goes, as soon as no other load runs.
    void deps.directory.collect();
  }
}

async function* shown(
  lines: AsyncIterable<ProgressMessage>,
  options: LoadImages,
): AsyncGenerator<ProgressMessage, void, undefined> {
  for await (const line of lines) if (!options.quiet) yield line;
}

interface IncomingImage {
  readonly record: ImageRecord;
  readonly diffIds: readonly string[];
  readonly blobs: readonly Blob[];
}

async function readImage(
  deps: LoadDeps,
  archive: IncomingArchive,
  source: { readonly planned: PlannedImage; readonly signal: AbortSignal },
): Promise<IncomingImage> {
  const { planned, signal } = source;
  const bytes = await archive.read(planned.config, CONFIG_BYTES_MAX);
  const document = parseConfigDocument(bytes);
  assertRunnable(deps, document);
  if (document.diffIds.length !== planned.layers.length) {
    throw new EngineError(
      'invalid-argument',
      `invalid manifest, layers length mismatch: expected ${document.diffIds.length}, got ${planned.layers.length}`,
    );
  }
  const config = await keep(archive, planned.config, signal);
  const blobs: Blob[] = [];
  for (const name of planned.layers) blobs.push(await keep(archive, name, signal));
  const record = imageRecord(document, { digest: config.digest, layerBlobs: blobs.map(({ digest }) => digest) });
  return { record, diffIds: document.diffIds, blobs };
}

/** @throws EngineError 'invalid-argument' when a file named by its digest holds something else. */
async function keep(archive: IncomingArchive, name: string, signal: AbortSignal): Promise<Blob> {
  const blob = await archive.keep(name, signal);
  const promised = digestInName(name);
  if (promised === undefined || promised === blob.digest) return blob;
  throw new EngineError('invalid-argument', `blob ${promised} does not have the digest it is named by`);
}

function assertRunnable(deps: LoadDeps, document: ConfigDocument): void {
  const os = document.os || deps.platform.os;
  if (os === deps.platform.os) return;
  throw new EngineError('invalid-argument', `cannot load ${os} image on ${deps.platform.os}`);
}

/** The record of an image whose config document was stored under `digest`; without tags and without a size. */
export function imageRecord(
  document: ConfigDocument,
  stored: { readonly digest: string; readonly layerBlobs: readonly string[] },
): ImageRecord {
  return {
    id: imageId(stored.digest),
    layerIds: chainIdsOf(document.diffIds),
    layerBlobs: stored.layerBlobs,
    tags: [],
    taggedAt: undefined,
    sizeBytes: 0,
    config: document.config,
    createdAt: dateOf(document.created),
    architecture: document.architecture,
    os: document.os || 'linux',
    author: document.author,
    comment: document.comment,
  };
}

/**
 * Makes the image visible in one step, its layers being there, with all of its tags. One that is there already keeps those it
 * has.
 * @returns what is to be told of the tags.
 */
function keepImage(
  deps: Pick<ImageDeps, 'directory' | 'layers' | 'clock'>,
  { record }: IncomingImage,
  tags: readonly string[],
): readonly ProgressMessage[] {
  const sizeBytes = record.layerIds.reduce((sum, chainId) => sum + deps.layers.sizeBytes(chainId), 0);
  const known = deps.directory.get(record.id);
  const gained = tags.filter((tag) => known?.tags.includes(tag) !== true);
  const lines = tags.flatMap((tag) => tagLines(deps, record.id, tag));
  deps.directory.put({
    ...record,
    sizeBytes,
    tags: [...new Set([...(known?.tags ?? []), ...gained])].toSorted(),
    taggedAt: gained.length > 0 ? deps.clock.now() : known?.taggedAt,
  });
  return lines;
}

function tagLines(deps: Pick<ImageDeps, 'directory'>, id: ImageId, tag: string): readonly ProgressMessage[] {
  const name = toFamiliar(tag);
  const loaded: ProgressMessage = { stream: `Loaded image: ${name}\n` };
  const previous = deps.directory.byTag(tag);
  if (previous === undefined || previous.id === id) return [loaded];
  const moved = `The image ${name} already exists, renaming the old one with ID ${previous.id} to empty string\n`;
  return [{ stream: moved }, loaded];
}
