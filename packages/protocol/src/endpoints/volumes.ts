import type { NoQuery, ShapeOf } from '../codec/query.ts';
import type { WireSchema } from '../codec/go-schema.ts';
import * as scalar from '../codec/scalars.ts';
import { jsonBody, noBody } from '../endpoint.ts';
import type { EmptyResponse, Endpoint, JsonBody, JsonResponse, NoBody } from '../endpoint.ts';
import type { Filters } from '../filters.ts';
import { type CreateVolumeBody, type Volume, type VolumeList, type VolumePruneReport } from '../models/volume.ts';

export interface ListVolumesQuery {
  readonly filters?: Filters;
}

export interface RemoveVolumeQuery {
  /** A volume that does not exist is success. */
  readonly force?: boolean;
}

/** Everything under `/volumes`. */
export interface VolumeEndpoints {
  /** One that exists already is success, whatever else was asked for. */
  readonly create: Endpoint<NoQuery, JsonBody<WireSchema<CreateVolumeBody>>, JsonResponse<Volume>>;
  readonly list: Endpoint<ShapeOf<ListVolumesQuery>, NoBody, JsonResponse<VolumeList>>;
  readonly inspect: Endpoint<NoQuery, NoBody, JsonResponse<Volume>>;
  readonly remove: Endpoint<ShapeOf<RemoveVolumeQuery>, NoBody, EmptyResponse>;
  readonly prune: Endpoint<ShapeOf<ListVolumesQuery>, NoBody, JsonResponse<VolumePruneReport>>;
}

/** Everything under `/volumes`. Source: engine-api 9.3. */
export const volumeEndpoints: VolumeEndpoints = {
  create: {
    method: 'POST',
    path: '/volumes/create',
    query: {},
    body: jsonBody('create volume'),
    response: { kind: 'json' },
    success: [201],
    operation: 'volume-create',
  },
  list: {
    method: 'GET',
    path: '/volumes',
    query: { filters: scalar.filters },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  inspect: {
    method: 'GET',
    path: '/volumes/{name}',
    query: {},
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  remove: {
    method: 'DELETE',
    path: '/volumes/{name}',
    query: { force: scalar.bool },
    body: noBody,
    response: { kind: 'empty' },
    success: [204],
    operation: 'volume-remove',
  },
  prune: {
    method: 'POST',
    path: '/volumes/prune',
    query: { filters: scalar.filters },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
    operation: 'volume-prune',
  },
};
