import type { NoQuery, ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import { bytesBody, noBody } from '../endpoint.ts';
import type {
  BytesBody,
  BytesResponse,
  EmptyResponse,
  Endpoint,
  JsonResponse,
  JsonStreamResponse,
  NoBody,
} from '../endpoint.ts';
import type { Filters } from '../filters.ts';
import type { ImageInspect } from '../models/image-inspect.ts';
import type { ImageDeleted, ImageHistoryEntry, ImageSummary } from '../models/image-summary.ts';
import type { ImageSearchResult } from '../models/registry.ts';
import type { ProgressMessage } from '../models/progress-message.ts';

export interface LoadImagesQuery {
  /** Absent is quiet: no progress of layers. */
  readonly quiet?: boolean;
}

/** Import when `fromSrc` is given, pull when `fromImage` is. */
export interface CreateImageQuery {
  readonly fromImage?: string;
  readonly tag?: string;
  /** `-`: the body is the root filesystem as a tar, perhaps compressed. */
  readonly fromSrc?: string;
  /** The name of the new image, with or without a tag. */
  readonly repo?: string;
  readonly message?: string;
  /** Lines as in a Dockerfile. */
  readonly changes?: readonly string[];
  readonly platform?: string;
}

export interface ListImagesQuery {
  /** Also intermediate ones. */
  readonly all?: boolean;
  readonly filters?: Filters;
  readonly digests?: boolean;
  readonly 'shared-size'?: boolean;
}

export interface TagImageQuery {
  readonly repo?: string;
  readonly tag?: string;
}

export interface RemoveImageQuery {
  readonly force?: boolean;
  readonly noprune?: boolean;
}

export interface SaveImagesQuery {
  /** Names or ids; each brings the layers it needs, once. */
  readonly names?: readonly string[];
}

export interface PushImageQuery {
  /** Absent: every tag of the name. */
  readonly tag?: string;
}

export interface SearchImagesQuery {
  readonly term?: string;
  readonly limit?: number;
  readonly filters?: Filters;
}

/** Everything under `/images`. */
export interface ImageEndpoints {
  /** Failures after the first line come in the stream, with status 200. */
  readonly load: Endpoint<ShapeOf<LoadImagesQuery>, BytesBody, JsonStreamResponse<ProgressMessage>>;
  /** `POST /images/create`: import of a root filesystem, or pull. */
  readonly import: Endpoint<ShapeOf<CreateImageQuery>, BytesBody, JsonStreamResponse<ProgressMessage>>;
  readonly list: Endpoint<ShapeOf<ListImagesQuery>, NoBody, JsonResponse<readonly ImageSummary[]>>;
  readonly inspect: Endpoint<NoQuery, NoBody, JsonResponse<ImageInspect>>;
  readonly tag: Endpoint<ShapeOf<TagImageQuery>, NoBody, EmptyResponse>;
  readonly remove: Endpoint<ShapeOf<RemoveImageQuery>, NoBody, JsonResponse<readonly ImageDeleted[]>>;
  readonly history: Endpoint<NoQuery, NoBody, JsonResponse<readonly ImageHistoryEntry[]>>;
  /** A tar that `load` reads. */
  readonly save: Endpoint<ShapeOf<SaveImagesQuery>, NoBody, BytesResponse>;
  /** The same of one image. */
  readonly saveOne: Endpoint<NoQuery, NoBody, BytesResponse>;
  /** Who asks is in `X-Registry-Auth`. Failures after the first line come in the stream, with status 200. */
  readonly push: Endpoint<ShapeOf<PushImageQuery>, NoBody, JsonStreamResponse<ProgressMessage>>;
  readonly search: Endpoint<ShapeOf<SearchImagesQuery>, NoBody, JsonResponse<readonly ImageSearchResult[]>>;
}

/** Everything under `/images`. Source: engine-api 9.1. */
export const imageEndpoints: ImageEndpoints = {
  load: {
    method: 'POST',
    path: '/images/load',
    query: { quiet: scalar.boolDefaultTrue },
    body: bytesBody,
    response: { kind: 'json-stream' },
    success: [200],
    operation: 'image-load',
  },
  import: {
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: scalar.text,
      tag: scalar.text,
      fromSrc: scalar.text,
      repo: scalar.text,
      message: scalar.text,
      changes: scalar.list,
      platform: scalar.text,
    },
    body: bytesBody,
    response: { kind: 'json-stream' },
    success: [200],
    operation: 'image-import',
  },
  list: {
    method: 'GET',
    path: '/images/json',
    query: {
      all: scalar.bool,
      filters: scalar.filters,
      digests: scalar.bool,
      'shared-size': scalar.since('1.42', scalar.bool),
    },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  inspect: {
    method: 'GET',
    path: '/images/{name...}/json',
    query: {},
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  tag: {
    method: 'POST',
    path: '/images/{name...}/tag',
    query: { repo: scalar.text, tag: scalar.text },
    body: noBody,
    response: { kind: 'empty' },
    success: [201],
    operation: 'image-tag',
  },
  remove: {
    method: 'DELETE',
    path: '/images/{name...}',
    query: { force: scalar.bool, noprune: scalar.bool },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
    operation: 'image-remove',
  },
  history: {
    method: 'GET',
    path: '/images/{name...}/history',
    query: {},
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  save: {
    method: 'GET',
    path: '/images/get',
    query: { names: scalar.list },
    body: noBody,
    response: { kind: 'bytes' },
    success: [200],
  },
  saveOne: {
    method: 'GET',
    path: '/images/{name...}/get',
    query: {},
    body: noBody,
    response: { kind: 'bytes' },
    success: [200],
  },
  push: {
    method: 'POST',
    path: '/images/{name...}/push',
    query: { tag: scalar.text },
    body: noBody,
    response: { kind: 'json-stream' },
    success: [200],
    notServed: true,
  },
  search: {
    method: 'GET',
    path: '/images/search',
    query: { term: scalar.text, limit: scalar.int, filters: scalar.filters },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
    notServed: true,
  },
};
