import type { NoQuery, ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import { noBody } from '../endpoint.ts';
import type { EmptyResponse, Endpoint, JsonResponse, JsonStreamResponse, NoBody, TextResponse } from '../endpoint.ts';
import type { Filters } from '../filters.ts';
import type { EventMessage } from '../models/event-message.ts';
import type { DiskUsage } from '../models/disk-usage.ts';
import type { SystemInfo } from '../models/system-info.ts';
import type { VersionInfo } from '../models/version-info.ts';
import type { UnixNanos } from '../timestamp.ts';

export interface EventsQuery {
  readonly since?: UnixNanos;
  readonly until?: UnixNanos;
  /** Unknown keys are ignored here, and only here. */
  readonly filters?: Filters;
}

export interface DiskUsageQuery {
  /** `container`, `image`, `volume`, `build-cache`; absent: all. */
  readonly type?: readonly string[];
}

/** What is said about the engine itself. */
export interface SystemEndpoints {
  readonly ping: Endpoint<NoQuery, NoBody, TextResponse>;
  readonly pingHead: Endpoint<NoQuery, NoBody, EmptyResponse>;
  readonly version: Endpoint<NoQuery, NoBody, JsonResponse<VersionInfo>>;
  readonly info: Endpoint<NoQuery, NoBody, JsonResponse<SystemInfo>>;
  readonly diskUsage: Endpoint<ShapeOf<DiskUsageQuery>, NoBody, JsonResponse<DiskUsage>>;
  readonly events: Endpoint<ShapeOf<EventsQuery>, NoBody, JsonStreamResponse<EventMessage>>;
}

/** What is said about the engine itself. Source: engine-api 1.3–1.5, 8.2. */
export const systemEndpoints: SystemEndpoints = {
  ping: { method: 'GET', path: '/_ping', query: {}, body: noBody, response: { kind: 'text' }, success: [200] },
  pingHead: { method: 'HEAD', path: '/_ping', query: {}, body: noBody, response: { kind: 'empty' }, success: [200] },
  version: { method: 'GET', path: '/version', query: {}, body: noBody, response: { kind: 'json' }, success: [200] },
  info: { method: 'GET', path: '/info', query: {}, body: noBody, response: { kind: 'json' }, success: [200] },
  diskUsage: {
    method: 'GET',
    path: '/system/df',
    query: { type: scalar.since('1.42', scalar.list) },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  events: {
    method: 'GET',
    path: '/events',
    query: { since: scalar.unixTime, until: scalar.unixTime, filters: scalar.filters },
    body: noBody,
    response: { kind: 'json-stream' },
    success: [200],
  },
};
