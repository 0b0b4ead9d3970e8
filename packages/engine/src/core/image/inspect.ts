import type { ImageInspect } from '@fairlead/protocol';
import { formatDate, formatTimestamp, parseTimestamp, toFamiliar } from '@fairlead/protocol';
import { CONFIG_BYTES_MAX, parseConfigDocument, type ContainerConfigPart } from './config-document.ts';
import type { ImageDeps } from './deps.ts';
import type { ImageRecord, ImageRuntimeConfig } from './record.ts';

type ImageConfigInspect = NonNullable<ImageInspect['Config']>;

/**
 * Everything about an image, as Docker shows it from API 1.45 on; the API adds what older clients read.
 * @throws EngineError 'not-found', 'invalid-argument', 'internal' when the config document is lost.
 */
export async function inspectImage(
  deps: Pick<ImageDeps, 'directory' | 'content' | 'layers'>,
  ref: string,
): Promise<ImageInspect> {
  const image = deps.directory.resolve(ref);
  const document = parseConfigDocument(await deps.content.readWhole(image.id, CONFIG_BYTES_MAX));
  return {
    Id: image.id,
    RepoTags: image.tags.map(toFamiliar),
    RepoDigests: [],
    Parent: deps.directory.parentOf(image)?.id ?? '',
    Comment: lastComment(image, document.history),
    Created: createdText(document.created),
    Container: document.container,
    DockerVersion: document.dockerVersion,
    Author: document.author,
    ContainerConfig: containerConfigOf(image, document.containerConfig),
    Config: inspectedConfig(image.config),
    Architecture: document.architecture,
    ...(document.variant === '' ? {} : { Variant: document.variant }),
    Os: document.os,
    Size: image.sizeBytes,
    GraphDriver: { Name: 'overlay2', Data: graphData(deps, image) },
    RootFS: { Type: 'layers', Layers: document.diffIds },
    Metadata: { LastTagTime: formatDate(image.taggedAt) },
  };
}

/** As Go prints a time that it has read: without trailing zeros. */
function createdText(created: string): string {
  const nanos = parseTimestamp(created);
  return nanos === undefined ? created : formatTimestamp(nanos);
}

/** Docker shows the last step's comment when the image has none itself. Source: moby, daemon/images/image_inspect.go. */
function lastComment(image: ImageRecord, history: readonly { readonly comment: string }[]): string {
  return image.comment || (history.at(-1)?.comment ?? '');
}

/** Whose container is not known is shown with its own config. */
function containerConfigOf({ config }: ImageRecord, container: ContainerConfigPart | undefined): ImageConfigInspect {
  if (container === undefined) return inspectedConfig(config);
  return { ...inspectedConfig(container.config), Hostname: container.hostname, Image: container.image };
}

/** The config with Docker's zero values: clients read these fields without asking whether they are there. */
function inspectedConfig(config: ImageRuntimeConfig): ImageConfigInspect {
  return {
    Hostname: '',
    Domainname: '',
    User: config.User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.ExposedPorts === undefined ? {} : { ExposedPorts: config.ExposedPorts }),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck === undefined ? {} : { Healthcheck: { ...NO_HEALTHCHECK, ...config.Healthcheck } }),
    Image: '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
    ...(config.StopTimeout === undefined ? {} : { StopTimeout: config.StopTimeout }),
    ...(config.Shell === undefined ? {} : { Shell: config.Shell }),
  };
}

const NO_HEALTHCHECK = { Test: null, Interval: 0, Timeout: 0, StartPeriod: 0, StartInterval: 0, Retries: 0 };

/** Where the layers are. Source: moby, daemon/graphdriver/overlay2: `UpperDir` is the topmost, `LowerDir` those below. */
function graphData(deps: Pick<ImageDeps, 'layers'>, image: ImageRecord): Readonly<Record<string, string>> | null {
  const paths = image.layerIds
    .filter((chainId) => deps.layers.has(chainId))
    .map((chainId) => deps.layers.path(chainId));
  const [upper, ...lower] = paths.toReversed();
  if (upper === undefined) return null;
  return { ...(lower.length === 0 ? {} : { LowerDir: lower.join(':') }), UpperDir: upper };
}
