import type { ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import {
  jsonBody,
  noBody,
  type Endpoint,
  type JsonBody,
  type JsonResponse,
  type JsonStreamResponse,
  type NoBody,
} from '../endpoint.ts';
import type { NoQuery } from '../codec/query.ts';
import type { WireSchema } from '../codec/go-schema.ts';
import type { ContainerStats } from '../models/container-stats.ts';
import {
  type UpdateContainerBody,
  type UpdateContainerBodyInput,
  type UpdateContainerResponse,
} from '../models/update-container-body.ts';

export interface ContainerStatsQuery {
  /** One document a second until the container is removed; true when absent. */
  readonly stream?: boolean;
  /** One document at once, without the measurement before it. */
  readonly 'one-shot'?: boolean;
}

/** What containers use of their host, and what they may use. */
export interface ResourceEndpoints {
  readonly stats: Endpoint<ShapeOf<ContainerStatsQuery>, NoBody, JsonStreamResponse<ContainerStats>>;
  readonly update: Endpoint<
    NoQuery,
    JsonBody<WireSchema<UpdateContainerBody, UpdateContainerBodyInput>>,
    JsonResponse<UpdateContainerResponse>
  >;
}

/** What containers use of their host, and what they may use. Source: engine-api 3.12, 8.3. */
export const resourceEndpoints: ResourceEndpoints = {
  stats: {
    method: 'GET',
    path: '/containers/{id}/stats',
    query: { stream: scalar.boolDefaultTrue, 'one-shot': scalar.since('1.41', scalar.bool) },
    body: noBody,
    response: { kind: 'json-stream' },
    success: [200],
  },
  update: {
    method: 'POST',
    path: '/containers/{id}/update',
    query: {},
    body: jsonBody('update container'),
    response: { kind: 'json' },
    success: [200],
    operation: 'update',
  },
};
