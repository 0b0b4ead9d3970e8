import { canonicalReference, EngineError, familiarReference, type ImageId } from '@fairlead/protocol';
import type { Blob } from '../ports/content-store.ts';
import { CONFIG_BYTES_MAX, parseConfigDocument } from './config-document.ts';
import type { ImageDeps } from './deps.ts';
import { imageEvent } from './event.ts';
import { applyChanges } from './import-changes.ts';
import { imageRecord } from './load.ts';
import { parsePlatform } from './platform.ts';
import type { ImageRuntimeConfig } from './record.ts';
import { targetReference } from './tag.ts';
import { LAYER_BYTES_MAX, unpackLayers } from './unpack-layers.ts';

/** Two blocks of zeroes end a tar. */
const ARCHIVE_END_BYTES = 1024;

export interface ImportImage {
  /** Name of the new image, with or without a tag; undefined leaves it without. */
  readonly repo: string | undefined;
  readonly tag: string | undefined;
  /** The image's comment; undefined or empty: `Imported from -`. */
  readonly message: string | undefined;
  /** Dockerfile lines. */
  readonly changes: readonly string[];
  /** `os[/arch[/variant]]`; undefined is the engine's own. */
  readonly platform: string | undefined;
}

/**
 * Makes an image of one layer out of a root filesystem's tar, compressed or not.
 *
 * All that can be refused is refused before the first byte is read.
 * @throws EngineError 'invalid-argument', 'too-large'; an error of `source`; `signal.reason`. Nothing is kept then.
 */
export async function importImage(
  deps: ImageDeps,
  source: AsyncIterable<Uint8Array>,
  options: ImportImage & { readonly signal: AbortSignal },
): Promise<ImageId> {
  const name = options.repo === undefined ? undefined : targetReference(options.repo, options.tag);
  const config = applyChanges({}, options.changes);
  const platform = platformOf(deps, options.platform);
  using _load = await deps.directory.enterLoad();
  try {
    // Stored without compression: so its digest is the layer's own, known only when all of it has come.
    const layer = await deps.content.write(deps.archives.decompress(orEmptyArchive(source)), {
      bytesMax: LAYER_BYTES_MAX,
      signal: options.signal,
    });
    const sources = { diffIds: [layer.digest], blobs: [layer] };
    for await (const _line of unpackLayers(deps, sources, options.signal));
    const document = newDocument(deps, { config, layer, platform, comment: options.message || 'Imported from -' });
    const bytes = Buffer.from(JSON.stringify(document));
    const stored = await deps.content.write(once(bytes), { bytesMax: CONFIG_BYTES_MAX, signal: options.signal });
    const record = imageRecord(parseConfigDocument(bytes), { digest: stored.digest, layerBlobs: [layer.digest] });
    const tagged = name === undefined ? {} : { tags: [canonicalReference(name)], taggedAt: deps.clock.now() };
    deps.directory.put({ ...record, ...tagged, sizeBytes: deps.layers.sizeBytes(layer.digest) });
    if (name !== undefined) deps.publish(imageEvent(record, 'tag', familiarReference(name)));
    deps.publish(imageEvent(record, 'import'));
    return record.id;
  } finally {
    void deps.directory.collect();
  }
}

interface NewImage {
  readonly config: ImageRuntimeConfig;
  readonly layer: Blob;
  readonly platform: ImageDeps['platform'];
  readonly comment: string;
}

function newDocument(deps: ImageDeps, image: NewImage): object {
  const created = deps.clock.now().toISOString();
  return {
    architecture: image.platform.architecture,
    ...(image.platform.variant === '' ? {} : { variant: image.platform.variant }),
    comment: image.comment,
    config: image.config,
    created,
    docker_version: deps.engineVersion,
    history: [{ created, comment: image.comment }],
    os: image.platform.os,
    rootfs: { type: 'layers', diff_ids: [image.layer.digest] },
  };
}

function platformOf(deps: ImageDeps, text: string | undefined): ImageDeps['platform'] {
  if (text === undefined) return deps.platform;
  const platform = parsePlatform(text, deps.platform);
  if (platform.os !== deps.platform.os) {
    throw new EngineError('invalid-argument', `operating system is not supported: ${JSON.stringify(text)}`);
  }
  return platform;
}

/** Nothing at all is an archive of nothing, as Go's reader of tars takes it. */
async function* orEmptyArchive(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let isEmpty = true;
  for await (const chunk of source) {
    isEmpty &&= chunk.length === 0;
    yield chunk;
  }
  if (isEmpty) yield Buffer.alloc(ARCHIVE_END_BYTES);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
