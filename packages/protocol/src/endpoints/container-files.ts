import type { NoQuery, ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import {
  bytesBody,
  jsonBody,
  noBody,
  type BytesBody,
  type BytesResponse,
  type EmptyResponse,
  type Endpoint,
  type JsonBody,
  type JsonResponse,
  type NoBody,
} from '../endpoint.ts';
import type { WireSchema } from '../codec/go-schema.ts';
import type { ContainerChange } from '../models/container-change.ts';
import { type ContainerConfig, type ContainerConfigInput } from '../models/container-config.ts';

export interface ContainerPathQuery {
  /** From the container's root, whatever it begins with. */
  readonly path?: string;
}

export interface PutArchiveQuery extends ContainerPathQuery {
  /** Refuses to replace a directory by something else, and something else by a directory. */
  readonly noOverwriteDirNonDir?: boolean;
  /** Everything becomes the container's user's. */
  readonly copyUIDGID?: boolean;
}

export interface CommitContainerQuery {
  readonly container?: string;
  /** Name of the image, with or without a tag; absent leaves it without. */
  readonly repo?: string;
  readonly tag?: string;
  readonly comment?: string;
  readonly author?: string;
  /** Freezes the container while its files are read; true when absent. */
  readonly pause?: boolean;
  /** Lines as in a Dockerfile. */
  readonly changes?: readonly string[];
}

/** Answer to a commit. */
export interface CommitContainerResponse {
  readonly Id: string;
}

/** The files of containers, from outside. */
export interface ContainerFileEndpoints {
  /** The facts are in `X-Docker-Container-Path-Stat`. */
  readonly statPath: Endpoint<ShapeOf<ContainerPathQuery>, NoBody, EmptyResponse>;
  /** A tar, with the facts in `X-Docker-Container-Path-Stat`. */
  readonly getArchive: Endpoint<ShapeOf<ContainerPathQuery>, NoBody, BytesResponse>;
  readonly putArchive: Endpoint<ShapeOf<PutArchiveQuery>, BytesBody, EmptyResponse>;
  readonly export: Endpoint<NoQuery, NoBody, BytesResponse>;
  /** null when there is no change. */
  readonly changes: Endpoint<NoQuery, NoBody, JsonResponse<readonly ContainerChange[] | null>>;
  readonly commit: Endpoint<
    ShapeOf<CommitContainerQuery>,
    JsonBody<WireSchema<ContainerConfig, ContainerConfigInput>>,
    JsonResponse<CommitContainerResponse>
  >;
}

/** The files of containers, from outside. Source: engine-api 8.5, 9.1. */
export const containerFileEndpoints: ContainerFileEndpoints = {
  statPath: {
    method: 'HEAD',
    path: '/containers/{id}/archive',
    query: { path: scalar.text },
    body: noBody,
    response: { kind: 'empty' },
    success: [200],
  },
  getArchive: {
    method: 'GET',
    path: '/containers/{id}/archive',
    query: { path: scalar.text },
    body: noBody,
    response: { kind: 'bytes' },
    success: [200],
  },
  putArchive: {
    method: 'PUT',
    path: '/containers/{id}/archive',
    query: { path: scalar.text, noOverwriteDirNonDir: scalar.bool, copyUIDGID: scalar.bool },
    body: bytesBody,
    response: { kind: 'empty' },
    success: [200],
    operation: 'container-put-files',
  },
  export: {
    method: 'GET',
    path: '/containers/{id}/export',
    query: {},
    body: noBody,
    response: { kind: 'bytes' },
    success: [200],
  },
  changes: {
    method: 'GET',
    path: '/containers/{id}/changes',
    query: {},
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  commit: {
    method: 'POST',
    path: '/commit',
    query: {
      container: scalar.text,
      repo: scalar.text,
      tag: scalar.text,
      comment: scalar.text,
      author: scalar.text,
      pause: scalar.boolDefaultTrue,
      changes: scalar.list,
    },
    body: jsonBody('commit container', { optional: true }),
    response: { kind: 'json' },
    success: [201],
    operation: 'container-commit',
  },
};
