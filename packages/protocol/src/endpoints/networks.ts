import type { WireSchema } from '../codec/go-schema.ts';
import type { NoQuery, ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import { jsonBody, noBody } from '../endpoint.ts';
import type { EmptyResponse, Endpoint, JsonBody, JsonResponse, NoBody } from '../endpoint.ts';
import type { Filters } from '../filters.ts';
import {
  type ConnectNetworkBody,
  type CreateNetworkBody,
  type CreateNetworkResponse,
  type DisconnectNetworkBody,
  type Network,
} from '../models/network.ts';

export interface ListNetworksQuery {
  readonly filters?: Filters;
}

export interface InspectNetworkQuery {
  /** For swarms; ignored. */
  readonly verbose?: boolean;
  /** Only a network of this scope is found. */
  readonly scope?: string;
}

/** Everything under `/networks`. */
export interface NetworkEndpoints {
  readonly list: Endpoint<ShapeOf<ListNetworksQuery>, NoBody, JsonResponse<readonly Network[]>>;
  readonly inspect: Endpoint<ShapeOf<InspectNetworkQuery>, NoBody, JsonResponse<Network>>;
  readonly create: Endpoint<NoQuery, JsonBody<WireSchema<CreateNetworkBody>>, JsonResponse<CreateNetworkResponse>>;
  readonly remove: Endpoint<NoQuery, NoBody, EmptyResponse>;
  readonly connect: Endpoint<NoQuery, JsonBody<WireSchema<ConnectNetworkBody>>, EmptyResponse>;
  readonly disconnect: Endpoint<NoQuery, JsonBody<WireSchema<DisconnectNetworkBody>>, EmptyResponse>;
}

/** Everything under `/networks`. Source: engine-api 9.2. */
export const networkEndpoints: NetworkEndpoints = {
  list: {
    method: 'GET',
    path: '/networks',
    query: { filters: scalar.filters },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  inspect: {
    method: 'GET',
    path: '/networks/{id}',
    query: { verbose: scalar.bool, scope: scalar.text },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  create: {
    method: 'POST',
    path: '/networks/create',
    query: {},
    body: jsonBody('create network'),
    response: { kind: 'json' },
    success: [201],
  },
  remove: {
    method: 'DELETE',
    path: '/networks/{id}',
    query: {},
    body: noBody,
    response: { kind: 'empty' },
    success: [204],
  },
  connect: {
    method: 'POST',
    path: '/networks/{id}/connect',
    query: {},
    body: jsonBody('connect network'),
    response: { kind: 'empty' },
    success: [200],
    notServed: true,
  },
  disconnect: {
    method: 'POST',
    path: '/networks/{id}/disconnect',
    query: {},
    body: jsonBody('disconnect network'),
    response: { kind: 'empty' },
    success: [200],
    notServed: true,
  },
};
