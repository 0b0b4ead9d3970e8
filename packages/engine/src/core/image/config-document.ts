import { createHash } from 'node:crypto';
import { dateFromNanos, EngineError, parseTimestamp } from '@fairlead/protocol';
import {
  integerOf,
  keySetOf,
  objectOf,
  objectsOf,
  parseJsonObject,
  textMapOf,
  textOf,
  textsOf,
  type JsonObject,
} from './document.ts';
import type { ImageHealthcheck, ImageRuntimeConfig } from './record.ts';

/** Real ones are some KiB. Source: containerd, core/images/image.go reads at most 8 MiB of manifest. */
export const CONFIG_BYTES_MAX: number = 8 * 1024 * 1024;

/** Source: moby, layer/layer_store.go, maxLayerDepth is 125 plus the init layer and the container's own. */
export const IMAGE_LAYERS_MAX = 125;

/** One step of an image's making. */
export interface HistoryStep {
  readonly createdAt: Date | undefined;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  /** It changed the config only. */
  readonly emptyLayer: boolean;
}

/** What an image says of the container that it was made from. */
export interface ContainerConfigPart {
  readonly config: ImageRuntimeConfig;
  readonly hostname: string;
  /** As the create named it. */
  readonly image: string;
}

/** An image's config document, read. Source: OCI image-spec, config.md, with what Docker adds. */
export interface ConfigDocument {
  /** As written, in RFC 3339; '' when the document does not say. */
  readonly created: string;
  readonly author: string;
  readonly comment: string;
  readonly architecture: string;
  readonly variant: string;
  readonly os: string;
  readonly dockerVersion: string;
  readonly container: string;
  readonly parent: string;
  readonly config: ImageRuntimeConfig;
  /** Of the container that it was made from. */
  readonly containerConfig: ContainerConfigPart | undefined;
  /** Digests of the layers' tars without compression, lowest first. */
  readonly diffIds: readonly string[];
  readonly history: readonly HistoryStep[];
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @throws EngineError 'invalid-argument' when it is not an image's config. */
export function parseConfigDocument(bytes: Uint8Array): ConfigDocument {
  const document = parseJsonObject(bytes, 'image config');
  const rootfs = objectOf(document, 'rootfs');
  if (rootfs === undefined) throw new EngineError('invalid-argument', 'invalid image JSON, no RootFS key');
  const diffIds = textsOf(rootfs, 'diff_ids') ?? [];
  if (!diffIds.every((digest) => DIGEST.test(digest)))
    throw new EngineError('invalid-argument', 'invalid image: diff_ids are not digests');
  if (diffIds.length > IMAGE_LAYERS_MAX) throw new EngineError('invalid-argument', 'max depth exceeded');
  return {
    created: textOf(document, 'created'),
    author: textOf(document, 'author'),
    comment: textOf(document, 'comment'),
    architecture: textOf(document, 'architecture'),
    variant: textOf(document, 'variant'),
    os: textOf(document, 'os'),
    dockerVersion: textOf(document, 'docker_version'),
    container: textOf(document, 'container'),
    parent: textOf(document, 'parent'),
    config: parseRuntimeConfig(objectOf(document, 'config') ?? {}),
    containerConfig: parseContainerConfig(objectOf(document, 'container_config')),
    diffIds,
    history: objectsOf(document, 'history').map(parseStep),
  };
}

/** The layers' names in their places, lowest first. Source: OCI image-spec, config.md, "Layer ChainID". */
export function chainIdsOf(diffIds: readonly string[]): readonly string[] {
  const chainIds: string[] = [];
  for (const diffId of diffIds) {
    const below = chainIds.at(-1);
    chainIds.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
  }
  return chainIds;
}

/** `sha256:` and the hex of these bytes. */
export function sha256(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Undefined when the text is empty, no time, or Go's zero time. */
export function dateOf(timestamp: string): Date | undefined {
  const nanos = parseTimestamp(timestamp);
  if (nanos === undefined) return undefined;
  const date = dateFromNanos(nanos);
  return date.getUTCFullYear() <= 1 ? undefined : date;
}

function parseContainerConfig(config: JsonObject | undefined): ContainerConfigPart | undefined {
  if (config === undefined) return undefined;
  return { config: parseRuntimeConfig(config), hostname: textOf(config, 'Hostname'), image: textOf(config, 'Image') };
}

function parseRuntimeConfig(config: JsonObject): ImageRuntimeConfig {
  return defined({
    User: textOf(config, 'User') || undefined,
    ExposedPorts: keySetOf(config, 'ExposedPorts'),
    Env: textsOf(config, 'Env'),
    Entrypoint: textsOf(config, 'Entrypoint'),
    Cmd: textsOf(config, 'Cmd'),
    Volumes: keySetOf(config, 'Volumes'),
    WorkingDir: textOf(config, 'WorkingDir') || undefined,
    Labels: textMapOf(config, 'Labels'),
    StopSignal: textOf(config, 'StopSignal') || undefined,
    StopTimeout: integerOf(config, 'StopTimeout'),
    Shell: textsOf(config, 'Shell'),
    OnBuild: textsOf(config, 'OnBuild'),
    Healthcheck: parseHealthcheck(objectOf(config, 'Healthcheck')),
  });
}

function parseHealthcheck(check: JsonObject | undefined): ImageHealthcheck | undefined {
  if (check === undefined) return undefined;
  return defined({
    Test: textsOf(check, 'Test'),
    Interval: integerOf(check, 'Interval'),
    Timeout: integerOf(check, 'Timeout'),
    StartPeriod: integerOf(check, 'StartPeriod'),
    StartInterval: integerOf(check, 'StartInterval'),
    Retries: integerOf(check, 'Retries'),
  });
}

function parseStep(step: JsonObject): HistoryStep {
  return {
    createdAt: dateOf(textOf(step, 'created')),
    createdBy: textOf(step, 'created_by'),
    author: textOf(step, 'author'),
    comment: textOf(step, 'comment'),
    emptyLayer: step['empty_layer'] === true,
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that hold undefined. */
function defined<T extends object>(fields: T): Defined<T> {
  const kept: Defined<T> = {};
  for (const key in fields) if (fields[key] !== undefined) Object.assign(kept, { [key]: fields[key] });
  return kept;
}
