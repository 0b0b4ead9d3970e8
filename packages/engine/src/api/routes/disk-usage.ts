import {
  EngineError,
  familiarReference,
  NO_FILTERS,
  parseReference,
  systemEndpoints,
  versionAtLeast,
  type ApiVersion,
  type ImageSummary,
  type Volume,
} from '@fairlead/protocol';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { listContainers } from '../../core/container/list.ts';
import type { ImageDeps } from '../../core/image/deps.ts';
import { imagesUsage, type ImageUsage } from '../../core/image/usage.ts';
import { route, type Route } from '../route.ts';
import { imageSummary } from './images.ts';

export interface DiskUsageDeps {
  readonly containers: Pick<ContainerDeps, 'directory' | 'images' | 'clock' | 'snapshots' | 'volumes' | 'network'>;
  readonly images: Pick<ImageDeps, 'directory' | 'layers'>;
  /** Every volume with its `UsageData`. */
  readonly volumes: () => Promise<readonly Volume[]>;
}

type Kind = 'container' | 'image' | 'volume' | 'build-cache';

const KINDS: readonly Kind[] = ['container', 'image', 'volume', 'build-cache'];

/** `GET /system/df`. Source: engine-api 9.1, moby v28 api/server/router/system. */
export function diskUsageRoute(deps: DiskUsageDeps): Route {
  return route(systemEndpoints.diskUsage, async ({ query, apiVersion }) => {
    const kinds = kindsOf(query.type);
    const images = kinds.has('image') ? imagesUsage(deps.images) : undefined;
    const every = { all: true, limit: 0, size: true, filters: NO_FILTERS };
    const [containers, volumes] = await Promise.all([
      kinds.has('container') ? listContainers(deps.containers, every) : null,
      kinds.has('volume') ? deps.volumes() : null,
    ]);
    return {
      kind: 'json',
      body: {
        LayersSize: images?.layersBytes ?? 0,
        Images: images?.images.map((usage) => usedSummary(deps, usage, apiVersion)) ?? null,
        Containers: containers,
        Volumes: volumes,
        BuildCache: kinds.has('build-cache') ? [] : null,
        ...(versionAtLeast(apiVersion, '1.42') ? {} : { BuilderSize: 0 }),
      },
    };
  });
}

/** @throws EngineError 'invalid-argument' for a kind that is none. */
function kindsOf(asked: readonly string[] | undefined): ReadonlySet<Kind> {
  if (asked === undefined) return new Set(KINDS);
  return new Set(
    asked.map((text) => {
      const kind = KINDS.find((known) => known === text);
      if (kind === undefined) throw new EngineError('invalid-argument', `unknown object type: ${text}`);
      return kind;
    }),
  );
}

function usedSummary(deps: DiskUsageDeps, usage: ImageUsage, apiVersion: ApiVersion): ImageSummary {
  const { image, containers, sharedBytes } = usage;
  const tags = image.tags.map((tag) => familiarReference(parseReference(tag)));
  const parentId = deps.images.directory.parentOf(image)?.id;
  return { ...imageSummary({ image, tags, parentId, sharedBytes }, apiVersion), Containers: containers };
}
