import { canonicalReference, EngineError, familiarReference, type ImageId, type Reference } from '@fairlead/protocol';
import type { Blob } from '../ports/content-store.ts';
import {
  chainIdsOf,
  CONFIG_BYTES_MAX,
  IMAGE_LAYERS_MAX,
  parseConfigDocument,
  type ConfigDocument,
} from './config-document.ts';
import type { ImageDeps } from './deps.ts';
import { objectsOf, parseJsonObject, type JsonObject } from './document.ts';
import { imageEvent } from './event.ts';
import { imageRecord } from './load.ts';
import type { ImageRecord, ImageRuntimeConfig } from './record.ts';
import { LAYER_BYTES_MAX } from './unpack-layers.ts';

/** An image that is another one with a layer on it. */
export interface CommitImage {
  readonly parent: ImageRecord;
  /** A layer's tar without compression; no byte at all: the layers stay as they are. */
  readonly layer: AsyncIterable<Uint8Array>;
  /** Called when all of the layer was read: what it is read from may change again. */
  readonly layerRead: () => Promise<void>;
  readonly config: ImageRuntimeConfig;
  /** The container it was made from, for `docker history` and inspect. */
  readonly container: { readonly id: string; readonly command: readonly string[]; readonly config: object };
  readonly author: string;
  readonly comment: string;
  /** The name it gets; undefined leaves it without. */
  readonly name: Reference | undefined;
  readonly signal: AbortSignal;
}

/**
 * Makes an image of another one and a layer. It appears when all of it is there.
 * @throws EngineError 'invalid-argument' `max depth exceeded`, 'too-large'; an error of `layer`; `signal.reason`. Nothing is kept then.
 */
export async function commitImage(deps: ImageDeps, commit: CommitImage): Promise<ImageId> {
  using _load = await deps.directory.enterLoad();
  try {
    const parent = parseJsonObject(await deps.content.readWhole(commit.parent.id, CONFIG_BYTES_MAX), 'image config');
    const before = parseConfigDocument(Buffer.from(JSON.stringify(parent)));
    const layer = await storedLayer(deps, commit);
    await commit.layerRead();
    const diffIds = layer === undefined ? before.diffIds : [...before.diffIds, layer.digest];
    if (diffIds.length > IMAGE_LAYERS_MAX) throw new EngineError('invalid-argument', 'max depth exceeded');
    if (layer !== undefined) await unpack(deps, { diffIds, layer, signal: commit.signal });
    const bytes = Buffer.from(JSON.stringify(childDocument(deps, { parent, before, diffIds, commit })));
    const stored = await deps.content.write(once(bytes), { bytesMax: CONFIG_BYTES_MAX, signal: commit.signal });
    const layerBlobs = [...commit.parent.layerBlobs, ...(layer === undefined ? [] : [layer.digest])];
    const record = imageRecord(parseConfigDocument(bytes), { digest: stored.digest, layerBlobs });
    const sizeBytes = record.layerIds.reduce((sum, chainId) => sum + deps.layers.sizeBytes(chainId), 0);
    const { name } = commit;
    // In one step with its name: a crash leaves no image without one.
    const tagged = name === undefined ? {} : { tags: [canonicalReference(name)], taggedAt: deps.clock.now() };
    deps.directory.put({ ...record, ...tagged, sizeBytes, parentId: commit.parent.id });
    if (name !== undefined) deps.publish(imageEvent(record, 'tag', familiarReference(name)));
    return record.id;
  } finally {
    void deps.directory.collect();
  }
}

/** Undefined when there is no byte. */
async function storedLayer(deps: Pick<ImageDeps, 'content'>, commit: CommitImage): Promise<Blob | undefined> {
  const chunks = commit.layer[Symbol.asyncIterator]();
  try {
    const first = await chunks.next();
    if (first.done === true) return undefined;
    const whole = (async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield first.value;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    })();
    return await deps.content.write(whole, { bytesMax: LAYER_BYTES_MAX, signal: commit.signal });
  } finally {
    await chunks.return?.();
  }
}

async function unpack(
  deps: Pick<ImageDeps, 'content' | 'layers'>,
  made: { readonly diffIds: readonly string[]; readonly layer: Blob; readonly signal: AbortSignal },
): Promise<void> {
  const chainIds = chainIdsOf(made.diffIds);
  const chainId = chainIds.at(-1);
  if (chainId === undefined) throw new EngineError('internal', 'a layer without a place');
  const { digest } = made.layer;
  const place = { chainId, parentChainId: chainIds.at(-2), diffId: digest };
  await deps.layers.unpack(place, () => deps.content.read(digest), made.signal);
}

interface Child {
  readonly parent: JsonObject;
  readonly before: ConfigDocument;
  readonly diffIds: readonly string[];
  readonly commit: CommitImage;
}

/** What the parent says stays, but for what an image says about itself. Source: moby, image/image.go, NewChildImage. */
function childDocument(deps: Pick<ImageDeps, 'clock' | 'engineVersion'>, child: Child): object {
  const { parent, before, diffIds, commit } = child;
  const created = deps.clock.now().toISOString();
  const { comment: _comment, author: _author, parent: _parent, id: _id, ...kept } = parent;
  const step = {
    created,
    ...(commit.author === '' ? {} : { author: commit.author }),
    created_by: commit.container.command.join(' '),
    ...(commit.comment === '' ? {} : { comment: commit.comment }),
    ...(diffIds.length === before.diffIds.length ? { empty_layer: true } : {}),
  };
  return {
    ...kept,
    ...(commit.author === '' ? {} : { author: commit.author }),
    config: commit.config,
    container: commit.container.id,
    container_config: commit.container.config,
    created,
    docker_version: deps.engineVersion,
    history: [...objectsOf(parent, 'history'), step],
    os: before.os || 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
