import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { LAYER_TIME, layerTar, type LayerEntry } from './layer-tar.ts';

/** An image that a test or a demo makes. */
export interface ImageSketch {
  /** Tars without compression, lowest first; see `layerTar`. */
  readonly layers: readonly Uint8Array[];
  /** `Cmd`, `Env`, …, as in an image's config document. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** `busybox:latest`; none leaves the image without a name. */
  readonly tags?: readonly string[];
  /** Fields of the config document that replace those made here. */
  readonly document?: Readonly<Record<string, unknown>>;
}

/** Names are Go's. */
export const GO_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
};

/** The config document of a sketch, as bytes; its digest is the image's id. */
export function configDocument(sketch: ImageSketch): Uint8Array {
  const created = LAYER_TIME.toISOString();
  const document = {
    architecture: GO_ARCHITECTURES[process.arch] ?? process.arch,
    config: sketch.config ?? {},
    created,
    history: sketch.layers.map((_, index) => ({ created, created_by: `layer ${index + 1}` })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: sketch.layers.map(digestOf) },
    ...sketch.document,
  };
  return Buffer.from(JSON.stringify(document));
}

/** `sha256:` and the id that an engine gives to the image. */
export function sketchId(sketch: ImageSketch): string {
  return digestOf(configDocument(sketch));
}

/** As docker save writes since 25.0: blobs by digest, with `manifest.json` beside an OCI index. */
export async function dockerArchive(sketches: readonly ImageSketch[]): Promise<Uint8Array> {
  const manifest = sketches.map((sketch) => ({
    Config: blobName(configDocument(sketch)),
    RepoTags: sketch.tags ?? null,
    Layers: sketch.layers.map(blobName),
  }));
  return await layerTar([...ociEntries(sketches), { name: 'manifest.json', content: JSON.stringify(manifest) }]);
}

/** As docker save wrote before 25.0: a directory per layer; a layer that comes again is a link to its first place. */
export async function legacyDockerArchive(sketches: readonly ImageSketch[]): Promise<Uint8Array> {
  const entries: LayerEntry[] = [];
  const places = new Map<string, string>();
  const manifest = sketches.map((sketch, image) => {
    const layers = sketch.layers.map((layer, index) => {
      const directory = digestOf(`${image} ${index}`).slice(7);
      const first = places.get(digestOf(layer));
      entries.push({ name: `${directory}/` }, { name: `${directory}/VERSION`, content: '1.0' });
      if (first === undefined) entries.push({ name: `${directory}/layer.tar`, content: layer });
      else entries.push({ name: `${directory}/layer.tar`, type: 'symlink', linkName: `../${first}/layer.tar` });
      places.set(digestOf(layer), first ?? directory);
      return `${directory}/layer.tar`;
    });
    const config = configDocument(sketch);
    const name = `${digestOf(config).slice(7)}.json`;
    entries.push({ name, content: config });
    return { Config: name, RepoTags: sketch.tags ?? null, Layers: layers };
  });
  return await layerTar([...entries, { name: 'manifest.json', content: JSON.stringify(manifest) }]);
}

/** An OCI image layout with layers compressed by gzip. */
export async function ociArchive(sketches: readonly ImageSketch[]): Promise<Uint8Array> {
  return await layerTar(ociEntries(sketches, (layer) => gzipSync(layer)));
}

function ociEntries(
  sketches: readonly ImageSketch[],
  compress?: (layer: Uint8Array) => Uint8Array,
): readonly LayerEntry[] {
  const blobs = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array, mediaType: string): object => {
    blobs.set(blobName(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  };
  const layerType = `application/vnd.oci.image.layer.v1.tar${compress === undefined ? '' : '+gzip'}`;
  const manifests = sketches.flatMap((sketch) => {
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: add(configDocument(sketch), 'application/vnd.oci.image.config.v1+json'),
      layers: sketch.layers.map((layer) => add(compress?.(layer) ?? layer, layerType)),
    };
    const descriptor = add(Buffer.from(JSON.stringify(manifest)), manifest.mediaType);
    const tags = sketch.tags ?? [];
    if (tags.length === 0) return [descriptor];
    return tags.map((tag) => ({ ...descriptor, annotations: { 'io.containerd.image.name': tag } }));
  });
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
  return [
    { name: 'blobs/' },
    { name: 'blobs/sha256/' },
    ...Array.from(blobs, ([name, content]) => ({ name, content })),
    { name: 'index.json', content: JSON.stringify(index) },
    { name: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
  ];
}

function blobName(bytes: Uint8Array): string {
  return `blobs/sha256/${digestOf(bytes).slice(7)}`;
}

function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
