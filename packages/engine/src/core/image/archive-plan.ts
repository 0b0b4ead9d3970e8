import { EngineError, mayBeImageId, normalizeReference, parseReference } from '@fairlead/protocol';
import { sha256 } from './config-document.ts';
import {
  objectOf,
  objectsOf,
  parseJsonObject,
  parseJsonObjects,
  textMapOf,
  textOf,
  textsOf,
  type JsonObject,
} from './document.ts';
import type { ImagePlatform } from './deps.ts';
import type { IncomingArchive } from './incoming-archive.ts';

/** Source: containerd, core/images/image.go: a manifest is read up to 8 MiB. */
export const MANIFEST_BYTES_MAX: number = 8 * 1024 * 1024;

/** Images in one archive. */
export const ARCHIVE_IMAGES_MAX = 1_000;

/** An index that points to an index: buildx writes one step. */
const INDEX_DEPTH_MAX = 3;

/** One image of an archive: names of the archive's files, and the canonical tags it shall have. */
export interface PlannedImage {
  readonly config: string;
  readonly layers: readonly string[];
  readonly tags: readonly string[];
}

/**
 * Finds the images in an archive: `manifest.json` of docker save, else `index.json` of an OCI layout.
 * @throws EngineError 'invalid-argument' when it is neither, or names what is not there.
 */
export async function planArchive(archive: IncomingArchive, platform: ImagePlatform): Promise<readonly PlannedImage[]> {
  const images = archive.has('manifest.json') ? await planDocker(archive) : await planOci(archive, platform);
  if (images.length > ARCHIVE_IMAGES_MAX)
    throw new EngineError('too-large', `archive has more than ${ARCHIVE_IMAGES_MAX} images`);
  return images;
}

/** Source: moby, image/spec/spec-v1.2.md, "Combined Image JSON + Filesystem Changeset Format". */
async function planDocker(archive: IncomingArchive): Promise<readonly PlannedImage[]> {
  const manifest = parseJsonObjects(await archive.read('manifest.json', MANIFEST_BYTES_MAX), 'manifest.json');
  return manifest.map((item) => ({
    config: textOf(item, 'Config'),
    layers: textsOf(item, 'Layers') ?? [],
    tags: (textsOf(item, 'RepoTags') ?? []).map(taggedReference),
  }));
}

function taggedReference(repoTag: string): string {
  if (parseReference(repoTag).tag === undefined)
    throw new EngineError('invalid-argument', `invalid tag ${JSON.stringify(repoTag)}`);
  return normalizeReference(repoTag);
}

/** Source: OCI image-spec, image-layout.md. */
async function planOci(archive: IncomingArchive, platform: ImagePlatform): Promise<readonly PlannedImage[]> {
  if (!archive.has('index.json'))
    throw new EngineError('invalid-argument', 'invalid archive: does not contain a manifest.json');
  const index = parseJsonObject(await archive.read('index.json', MANIFEST_BYTES_MAX), 'index.json');
  const images: PlannedImage[] = [];
  for (const descriptor of objectsOf(index, 'manifests')) {
    const manifest = await findManifest(archive, descriptor, { platform, depth: 0 });
    if (manifest !== undefined) images.push(plannedManifest(manifest, namesOf(descriptor)));
  }
  if (images.length === 0) {
    throw new EngineError('not-found', `no image for platform ${platform.os}/${platform.architecture} in the archive`);
  }
  return images;
}

/** Follows indexes to the image of this platform; undefined when there is none, or it is no image but an attestation. */
async function findManifest(
  archive: IncomingArchive,
  descriptor: JsonObject,
  search: { readonly platform: ImagePlatform; readonly depth: number },
): Promise<JsonObject | undefined> {
  if (!suits(descriptor, search.platform)) return undefined;
  const digest = textOf(descriptor, 'digest');
  const bytes = await archive.read(blobName(digest), MANIFEST_BYTES_MAX);
  if (sha256(bytes) !== digest)
    throw new EngineError('invalid-argument', `blob ${digest} does not have the digest it is named by`);
  const document = parseJsonObject(bytes, 'manifest');
  if (document['config'] !== undefined) return document;
  if (search.depth >= INDEX_DEPTH_MAX)
    throw new EngineError('invalid-argument', 'invalid archive: indexes are nested too deeply');
  for (const next of objectsOf(document, 'manifests')) {
    const found = await findManifest(archive, next, { ...search, depth: search.depth + 1 });
    if (found !== undefined) return found;
  }
  return undefined;
}

function suits(descriptor: JsonObject, platform: ImagePlatform): boolean {
  if (textMapOf(descriptor, 'annotations')?.['vnd.docker.reference.type'] !== undefined) return false;
  const wanted = objectOf(descriptor, 'platform');
  if (wanted === undefined) return true;
  return textOf(wanted, 'os') === platform.os && textOf(wanted, 'architecture') === platform.architecture;
}

function plannedManifest(manifest: JsonObject, tags: readonly string[]): PlannedImage {
  const config = objectOf(manifest, 'config') ?? {};
  return {
    config: blobName(textOf(config, 'digest')),
    layers: objectsOf(manifest, 'layers').map((layer) => blobName(textOf(layer, 'digest'))),
    tags,
  };
}

/**
 * The full name, which containerd and BuildKit write, else the one of the OCI annotation when it is a full name too:
 * `latest` alone names no repository.
 */
function namesOf(descriptor: JsonObject): readonly string[] {
  const annotations = textMapOf(descriptor, 'annotations') ?? {};
  const full = annotations['io.containerd.image.name'];
  if (full !== undefined) return [normalizeReference(full)];
  const short = annotations['org.opencontainers.image.ref.name'] ?? '';
  const named = /[/:]/.test(short) && !mayBeImageId(short);
  return named ? [normalizeReference(short)] : [];
}

function blobName(digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new EngineError('invalid-argument', `unsupported digest ${JSON.stringify(digest)}`);
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

/** Whether a name says that its content must have a digest: OCI layouts and docker save from 25.0 on. */
export function digestInName(name: string): string | undefined {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}
