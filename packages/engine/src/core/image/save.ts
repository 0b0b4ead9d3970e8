import {
  canonicalReference,
  EngineError,
  familiarName,
  familiarReference,
  isEngineError,
  mayBeImageId,
  parseReference,
  withDefaultTag,
  type ImageId,
} from '@fairlead/protocol';
import { encodeTar, type TarFile } from '@fairlead/protocol/tar';
import { ownedChunks } from '../../lib/owned-chunks.ts';
import type { Digest } from '../ports/content-store.ts';
import { CONFIG_BYTES_MAX, parseConfigDocument, sha256 } from './config-document.ts';
import type { ImageDeps } from './deps.ts';
import type { ImageDirectory } from './directory.ts';
import { imageEvent } from './event.ts';
import type { ImageRecord } from './record.ts';
import { directoryFile, streamedFile, wholeFile } from './saved-files.ts';

type SaveDeps = Pick<ImageDeps, 'directory' | 'content' | 'archives' | 'publish'>;

const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/**
 * Images as an archive, as Docker writes it since 25.0: an OCI layout that older Dockers read, too. Layers come without compression.
 *
 * What a name without a tag means is all of its tags; an id brings no tag along. Until the archive was read to its end, or broken
 * off, nothing of the images is deleted.
 * @throws EngineError 'not-found', 'invalid-argument' before the first byte.
 *   Source: moby v28, daemon/internal/image/tarexport/save.go; OCI image-spec, image-layout.md.
 */
export async function saveImages(
  deps: SaveDeps,
  names: readonly string[],
  options: { readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  await using undo = new AsyncDisposableStack();
  undo.use(await deps.directory.enterLoad());
  const chosen = chooseImages(deps.directory, names);
  return ownedChunks(encodeTar(archiveFiles(deps, chosen)), undo.move(), options.signal);
}

interface ChosenImage {
  readonly image: ImageRecord;
  /** Canonical. */
  readonly tags: Set<string>;
}

function chooseImages(directory: ImageDirectory, names: readonly string[]): readonly ChosenImage[] {
  const chosen = new Map<ImageId, ChosenImage>();
  const choose = (image: ImageRecord, tag: string | undefined): void => {
    const known = chosen.get(image.id) ?? { image, tags: new Set() };
    chosen.set(image.id, known);
    if (tag !== undefined) known.tags.add(tag);
  };
  for (const name of names) {
    const tagged = taggedLike(directory, name);
    for (const { image, tag } of tagged) choose(image, tag);
    if (tagged.length === 0) choose(byId(directory, name), undefined);
  }
  return [...chosen.values()];
}

/** The images that a name stands for, with the tags it does; none when it can only be an id. */
function taggedLike(
  directory: ImageDirectory,
  name: string,
): readonly { readonly image: ImageRecord; readonly tag: string }[] {
  if (mayBeImageId(name) && (name.startsWith('sha256:') || name.length === 64)) return [];
  const reference = parseReference(name);
  if (reference.tag === undefined && reference.digest === undefined) {
    const wanted = familiarName(reference);
    return directory.all().flatMap((image) => {
      const tags = image.tags.filter((tag) => familiarName(parseReference(tag)) === wanted);
      return tags.map((tag) => ({ image, tag }));
    });
  }
  const tag = canonicalReference(withDefaultTag(reference));
  const image = directory.byTag(tag);
  return image === undefined ? [] : [{ image, tag }];
}

/** A name without a tag stands for all of its tags here: it is missed as it was asked for. */
function byId(directory: ImageDirectory, name: string): ImageRecord {
  try {
    return directory.resolve(name);
  } catch (cause) {
    if (!isEngineError(cause) || cause.kind !== 'not-found') throw cause;
    throw new EngineError('not-found', `No such image: ${name}`, { cause });
  }
}

/** One image of the archive, when its files have been written. */
interface SavedImage {
  readonly configDigest: Digest;
  readonly diffIds: readonly Digest[];
  readonly manifest: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly tags: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

async function* archiveFiles(deps: SaveDeps, chosen: readonly ChosenImage[]): AsyncGenerator<TarFile, void, undefined> {
  yield directoryFile('blobs/');
  yield directoryFile('blobs/sha256/');
  const written = new Map<Digest, number>();
  const saved: SavedImage[] = [];
  for (const { image, tags } of chosen) {
    saved.push(yield* imageFiles(deps, { image, tags: [...tags].toSorted() }, written));
    deps.publish(imageEvent(image, 'save'));
  }
  yield jsonFile('index.json', indexOf(saved));
  yield jsonFile('manifest.json', saved.map(legacyManifestOf));
  yield jsonFile('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield jsonFile('repositories', repositoriesOf(saved));
}

/** Config, layers that were not written yet, and manifest. @param written sizes of the blobs of the archive; grows. */
async function* imageFiles(
  deps: SaveDeps,
  { image, tags }: { readonly image: ImageRecord; readonly tags: readonly string[] },
  written: Map<Digest, number>,
): AsyncGenerator<TarFile, SavedImage, undefined> {
  const config = await deps.content.readWhole(image.id, CONFIG_BYTES_MAX);
  const { diffIds } = parseConfigDocument(config);
  const blob = (bytes: Uint8Array, digest: Digest): readonly TarFile[] => {
    if (written.has(digest)) return [];
    written.set(digest, bytes.byteLength);
    return [wholeFile(blobName(digest), bytes, image.createdAt)];
  };
  for (const [index, diffId] of diffIds.entries()) {
    if (written.has(diffId)) continue;
    const layer = await openLayer(deps, { diffId, blob: image.layerBlobs[index] });
    written.set(diffId, layer.sizeBytes);
    yield streamedFile(blobName(diffId), layer.content, { sizeBytes: layer.sizeBytes, modifiedAt: image.createdAt });
  }
  yield* blob(config, image.id);
  const layers = diffIds.map((digest) => ({ mediaType: MEDIA_TYPES.layer, digest, size: written.get(digest) ?? 0 }));
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: image.id, size: config.byteLength },
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = sha256(bytes);
  yield* blob(bytes, digest);
  const manifest = { mediaType: MEDIA_TYPES.manifest, digest, size: bytes.byteLength };
  return { configDigest: image.id, diffIds, manifest, layers, tags };
}

/** A layer's tar with its size, which the archive tells first: a compressed one is read twice. */
async function openLayer(
  { content, archives }: SaveDeps,
  layer: { readonly diffId: Digest; readonly blob: Digest | undefined },
): Promise<{ readonly sizeBytes: number; readonly content: AsyncIterable<Uint8Array> }> {
  const { diffId, blob } = layer;
  if (blob === undefined) throw new EngineError('internal', 'an image has more layers than blobs');
  if (blob === diffId) {
    const sizeBytes = await content.sizeBytes(blob);
    if (sizeBytes === undefined) throw new EngineError('not-found', `content ${blob}: not found`);
    return { sizeBytes, content: content.read(blob) };
  }
  let sizeBytes = 0;
  for await (const chunk of archives.decompress(content.read(blob))) sizeBytes += chunk.byteLength;
  return { sizeBytes, content: archives.decompress(content.read(blob)) };
}

/** An entry for each tag, and one for an image without. */
function indexOf(saved: readonly SavedImage[]): object {
  const manifests = saved.flatMap(({ manifest, tags }) => {
    if (tags.length === 0) return [manifest];
    return tags.map((tag) => ({
      ...manifest,
      annotations: {
        'io.containerd.image.name': tag,
        'org.opencontainers.image.ref.name': parseReference(tag).tag,
      },
    }));
  });
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests };
}

function legacyManifestOf({ configDigest, layers, tags }: SavedImage): object {
  return {
    Config: blobName(configDigest),
    RepoTags: tags.length === 0 ? null : tags.map((tag) => familiarReference(parseReference(tag))),
    Layers: layers.map(({ digest }) => blobName(digest)),
    LayerSources: Object.fromEntries(layers.map((layer) => [layer.digest, layer])),
  };
}

/** Each repository with its tags and their highest layers: for Docker before 1.10. */
function repositoriesOf(saved: readonly SavedImage[]): object {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { diffIds, tags } of saved) {
    for (const tag of tags) {
      const reference = parseReference(tag);
      const repository = (repositories[familiarName(reference)] ??= {});
      repository[reference.tag ?? ''] = (diffIds.at(-1) ?? '').replace('sha256:', '');
    }
  }
  return repositories;
}

function jsonFile(name: string, document: object): TarFile {
  return wholeFile(name, Buffer.from(JSON.stringify(document)));
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${digest.replace('sha256:', '')}`;
}
