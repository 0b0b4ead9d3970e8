import {
  EngineError,
  familiarReference,
  imageEndpoints,
  NO_FILTERS,
  parseReference,
  versionAtLeast,
  withDefaultTag,
  type ApiVersion,
  type ImageId,
  type ImageInspect,
  type ImageSummary,
  type ProgressMessage,
} from '@fairlead/protocol';
import type { ImageDeps } from '../../core/image/deps.ts';
import { imageHistory } from '../../core/image/history.ts';
import { importImage } from '../../core/image/import.ts';
import { inspectImage } from '../../core/image/inspect.ts';
import { listImages, type ListedImage } from '../../core/image/list.ts';
import { imagesUsage } from '../../core/image/usage.ts';
import { loadImages } from '../../core/image/load.ts';
import { parsePlatform } from '../../core/image/platform.ts';
import { removeImage } from '../../core/image/remove.ts';
import { saveImages } from '../../core/image/save.ts';
import { tagImage } from '../../core/image/tag.ts';
import { failureOf } from '../fail.ts';
import { route, type BytesReply, type Call, type Route } from '../route.ts';

/** Everything under `/images`. Source: engine-api 9.1. */
export function imageRoutes(deps: ImageDeps): readonly Route[] {
  return [...makingRoutes(deps), ...viewRoutes(deps), ...nameRoutes(deps)];
}

function makingRoutes(deps: ImageDeps): readonly Route[] {
  return [
    route(imageEndpoints.load, async (call) => {
      const quiet = call.query.quiet ?? true;
      const lines = loadImages(deps, call.bytes, { quiet, signal: call.hangup });
      return { kind: 'json-stream', items: inBand(deps, lines, call), lineEnd: '\r\n' };
    }),
    route(imageEndpoints.import, async (call) => {
      const { fromImage, fromSrc, repo, tag, message, platform } = call.query;
      if (platform !== undefined) parsePlatform(platform, deps.platform);
      if (fromImage !== undefined) throw noPull(fromImage, tag);
      if (fromSrc !== '-') throw noDownload(fromSrc);
      const options = { repo, tag, message, platform, changes: call.query.changes ?? [], signal: call.hangup };
      const id = await importImage(deps, call.bytes, options);
      call.operation?.target({ Type: 'image', Id: id, Name: repo ?? '' });
      return { kind: 'json-stream', items: only({ status: id }), lineEnd: '\r\n' };
    }),
  ];
}

function viewRoutes(deps: ImageDeps): readonly Route[] {
  return [
    route(imageEndpoints.list, async (call) => {
      const listed = listImages(deps, call.query.filters ?? NO_FILTERS, { all: call.query.all === true });
      const shared = call.query['shared-size'] === true ? sharedBytes(deps) : undefined;
      return {
        kind: 'json',
        body: listed.map(({ image, tags }) => {
          const parentId = deps.directory.parentOf(image)?.id;
          return imageSummary({ image, tags, parentId, sharedBytes: shared?.get(image.id) }, call.apiVersion);
        }),
      };
    }),
    route(imageEndpoints.inspect, async (call) => {
      const image = await inspectImage(deps, call.param('name'));
      return { kind: 'json', body: inspectFor(image, call.apiVersion) };
    }),
    route(imageEndpoints.save, async (call) => saved(deps, call.query.names ?? [], call)),
    route(imageEndpoints.saveOne, async (call) => saved(deps, [call.param('name')], call)),
    route(imageEndpoints.history, async (call) => ({
      kind: 'json',
      body: await imageHistory(deps, call.param('name')),
    })),
  ];
}

function nameRoutes(deps: ImageDeps): readonly Route[] {
  return [
    route(imageEndpoints.tag, async (call) => {
      aboutImage(deps, call);
      tagImage(deps, call.param('name'), { repo: call.query.repo, tag: call.query.tag });
      return { kind: 'empty' };
    }),
    route(imageEndpoints.remove, async (call) => {
      aboutImage(deps, call);
      const body = await removeImage(deps, call.param('name'), {
        force: call.query.force ?? false,
        keepParents: call.query.noprune ?? false,
      });
      return { kind: 'json', body };
    }),
  ];
}

async function saved(deps: ImageDeps, names: readonly string[], call: Pick<Call, 'hangup'>): Promise<BytesReply> {
  const chunks = await saveImages(deps, names, { signal: call.hangup });
  return { kind: 'bytes', contentType: 'application/x-tar', chunks };
}

/** Notes which image an operation is about. @throws EngineError, as `ImageDirectory.resolve`. */
function aboutImage(deps: Pick<ImageDeps, 'directory'>, call: Pick<Call, 'operation' | 'param'>): void {
  const ref = call.param('name');
  call.operation?.target({ Type: 'image', Id: deps.directory.resolve(ref).id, Name: ref });
}

/** A load answers 200 before its body has come: from then on failures are lines, as Docker's clients expect. */
async function* inBand(
  deps: Pick<ImageDeps, 'log'>,
  lines: AsyncIterable<ProgressMessage>,
  call: Pick<Call, 'operation' | 'hangup'>,
): AsyncGenerator<ProgressMessage, void, undefined> {
  try {
    yield* lines;
  } catch (error) {
    const { message, internal } = failureOf(error);
    call.operation?.end({ outcome: 'failed', message });
    // Nobody is left to read a line.
    if (call.hangup.aborted) throw error;
    if (internal) deps.log.failure('image.load.failed', error);
    yield { errorDetail: { message }, error: message };
  }
}

async function* only(line: ProgressMessage): AsyncGenerator<ProgressMessage, void, undefined> {
  yield line;
}

/** @throws EngineError 'invalid-argument' for a malformed name. */
function noPull(image: string, tag: string | undefined): EngineError {
  const name = tag === undefined ? image : `${image}${tag.startsWith('sha256:') ? '@' : ':'}${tag}`;
  const shown = familiarReference(withDefaultTag(parseReference(name)));
  return new EngineError('not-implemented', `pulling images is not available yet: load or import "${shown}" instead`);
}

function noDownload(source: string | undefined): EngineError {
  if (source === undefined) return new EngineError('invalid-argument', 'fromImage or fromSrc is required');
  return new EngineError(
    'not-implemented',
    `importing from a URL is not available yet: download "${source}" and import the file`,
  );
}

function sharedBytes(deps: ImageDeps): ReadonlyMap<ImageId, number> {
  return new Map(imagesUsage(deps).images.map((usage) => [usage.image.id, usage.sharedBytes]));
}

/** What a row of the list is made of. */
export interface SummarizedImage extends ListedImage {
  readonly parentId: ImageId | undefined;
  /** Undefined when nobody asked. */
  readonly sharedBytes: number | undefined;
}

/** One row of the list of images. */
export function imageSummary(summarized: SummarizedImage, apiVersion: ApiVersion): ImageSummary {
  const { image, tags } = summarized;
  // Older clients print what they are given, so the engine wrote their placeholders.
  const placeholder = tags.length === 0 && !versionAtLeast(apiVersion, '1.43');
  return {
    Id: image.id,
    ParentId: summarized.parentId ?? '',
    RepoTags: placeholder ? ['<none>:<none>'] : tags,
    RepoDigests: placeholder ? ['<none>@<none>'] : [],
    Created: Math.floor((image.createdAt?.getTime() ?? 0) / 1000),
    Size: image.sizeBytes,
    SharedSize: summarized.sharedBytes ?? -1,
    ...(versionAtLeast(apiVersion, '1.44') ? {} : { VirtualSize: image.sizeBytes }),
    Labels: image.config.Labels ?? null,
    Containers: -1,
  };
}

/** Fields that Docker took out of the answer, for clients of the versions that had them. */
function inspectFor(image: ImageInspect, apiVersion: ApiVersion): ImageInspect {
  const { Container, ContainerConfig, ...current } = image;
  return {
    ...current,
    ...(versionAtLeast(apiVersion, '1.45') ? {} : { Container: Container ?? '', ContainerConfig }),
    ...(versionAtLeast(apiVersion, '1.44') ? {} : { VirtualSize: image.Size }),
  };
}
