import { isImageId, type ImageId } from '@fairlead/protocol';

/** The part of an OCI image config document that containers inherit. Names are the document's own. */
export interface ImageRuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[];
  readonly Healthcheck?: ImageHealthcheck;
}

/** How to find out whether a container of the image is well. Times are nanoseconds. */
export interface ImageHealthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** One image of the store, as persisted. The config document itself is content, named by the image's id. */
export interface ImageRecord {
  readonly id: ImageId;
  /** Chain ids of the layers, lowest first: `sha256:` and 64 hex. */
  readonly layerIds: readonly string[];
  /** Digests of the tars that the layers were unpacked from, compressed or not, lowest first. */
  readonly layerBlobs: readonly string[];
  /** Canonical references with tag, e.g. `docker.io/library/busybox:latest`. */
  readonly tags: readonly string[];
  /** When a tag was last given. */
  readonly taggedAt: Date | undefined;
  /** Sum of the unpacked layers, as Docker reports it. */
  readonly sizeBytes: number;
  readonly config: ImageRuntimeConfig;
  readonly createdAt: Date | undefined;
  readonly architecture: string;
  readonly os: string;
  readonly author: string;
  readonly comment: string;
  /** The image that a commit put a layer on; absent when it was not made here. It may have gone since. */
  readonly parentId?: ImageId;
}

/** What containers need of the image store. */
export interface ImageLookup {
  /** @throws EngineError 'not-found' `No such image: REF:TAG`, 'invalid-argument' for a malformed reference. */
  resolve(ref: string): ImageRecord;
  /** Keeps layers until disposed, so that an image can be removed while a container is being made from it. */
  retain(layerIds: readonly string[]): Disposable;
  /** Undefined when it was removed meanwhile. */
  get(id: ImageId): ImageRecord | undefined;
}

/** Recognises a stored record. The engine is the only writer, so the frame is checked, not every field. */
export function isImageRecord(document: unknown): document is ImageRecord {
  if (typeof document !== 'object' || document === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...document };
  const { id, layerIds, layerBlobs, tags, sizeBytes, config } = fields;
  if (typeof id !== 'string' || !isImageId(id) || typeof sizeBytes !== 'number') return false;
  if (typeof config !== 'object' || config === null) return false;
  return [layerIds, layerBlobs, tags].every(Array.isArray);
}
