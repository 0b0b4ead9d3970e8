import type { NoQuery, ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import { jsonBody, noBody } from '../endpoint.ts';
import type {
  BytesResponse,
  EmptyResponse,
  Endpoint,
  HijackResponse,
  JsonBody,
  JsonResponse,
  NoBody,
  WebSocketResponse,
} from '../endpoint.ts';
import type { WireSchema } from '../codec/go-schema.ts';
import type { Filters } from '../filters.ts';
import type { ContainerInspect } from '../models/container-inspect.ts';
import type { ContainerSummary } from '../models/container-summary.ts';
import {
  type CreateContainerBody,
  type CreateContainerBodyInput,
  type CreateContainerResponse,
} from '../models/create-container-body.ts';
import type { TopResponse } from '../models/top-response.ts';
import type { WaitResponse } from '../models/wait-response.ts';
import type { UnixNanos } from '../timestamp.ts';

export interface CreateContainerQuery {
  /** Empty: the engine makes one up. */
  readonly name?: string;
  readonly platform?: string;
}

export interface ListContainersQuery {
  /** Also those that do not run. */
  readonly all?: boolean;
  /** The newest n, running or not; 0 or less: no limit. */
  readonly limit?: number;
  /** Works out SizeRw and SizeRootFs. */
  readonly size?: boolean;
  readonly filters?: Filters;
}

export interface StartContainerQuery {
  readonly detachKeys?: string;
  /** Docker's experiment, which this engine refuses. */
  readonly checkpoint?: string;
}

export interface StopContainerQuery {
  /** Milliseconds until SIGKILL; Infinity: never. Absent: the container's own, else the engine's. */
  readonly t?: number;
  readonly signal?: string;
}

export interface KillContainerQuery {
  /** Absent: SIGKILL, and the answer waits for the exit. */
  readonly signal?: string;
}

export interface WaitContainerQuery {
  /** `not-running` when absent. Unknown words reach the handler, to be refused. */
  readonly condition?: string;
}

export interface RenameContainerQuery {
  readonly name?: string;
}

export interface RemoveContainerQuery {
  /** Kills it first. */
  readonly force?: boolean;
  /** Removes its anonymous volumes, too. */
  readonly v?: boolean;
  readonly link?: boolean;
}

export interface AttachContainerQuery {
  /** Plays the log back first. */
  readonly logs?: boolean;
  readonly stream?: boolean;
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly detachKeys?: string;
}

export interface ContainerLogsQuery {
  readonly follow?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly since?: UnixNanos;
  /** 0: no end. */
  readonly until?: UnixNanos;
  readonly timestamps?: boolean;
  readonly details?: boolean;
  /** How many of the last records; absent: all. */
  readonly tail?: number;
}

export interface ResizeQuery {
  /** Rows. Docker refuses a resize without; so must the handler. */
  readonly h?: number;
  /** Columns. */
  readonly w?: number;
}

export interface TopContainerQuery {
  /** Arguments for ps; `-ef` when absent. */
  readonly ps_args?: string;
}

export interface InspectContainerQuery {
  readonly size?: boolean;
}

type Row<
  Q extends object,
  B extends NoBody | JsonBody,
  R extends EmptyResponse | JsonResponse | BytesResponse | HijackResponse | WebSocketResponse,
> = Endpoint<ShapeOf<Q>, B, R>;

/** Everything under `/containers`. */
export interface ContainerEndpoints {
  readonly create: Row<
    CreateContainerQuery,
    JsonBody<WireSchema<CreateContainerBody, CreateContainerBodyInput>>,
    JsonResponse<CreateContainerResponse>
  >;
  readonly list: Row<ListContainersQuery, NoBody, JsonResponse<readonly ContainerSummary[]>>;
  readonly inspect: Row<InspectContainerQuery, NoBody, JsonResponse<ContainerInspect>>;
  readonly start: Row<StartContainerQuery, NoBody, EmptyResponse>;
  readonly stop: Row<StopContainerQuery, NoBody, EmptyResponse>;
  readonly restart: Row<StopContainerQuery, NoBody, EmptyResponse>;
  readonly kill: Row<KillContainerQuery, NoBody, EmptyResponse>;
  readonly pause: Endpoint<NoQuery, NoBody, EmptyResponse>;
  readonly unpause: Endpoint<NoQuery, NoBody, EmptyResponse>;
  readonly wait: Row<WaitContainerQuery, NoBody, JsonResponse<WaitResponse>>;
  readonly rename: Row<RenameContainerQuery, NoBody, EmptyResponse>;
  readonly remove: Row<RemoveContainerQuery, NoBody, EmptyResponse>;
  /** Takes a link of a container away, by its alias; `link` must be set. */
  readonly removeLink: Row<RemoveContainerQuery, NoBody, EmptyResponse>;
  readonly attach: Row<AttachContainerQuery, NoBody, HijackResponse>;
  /** Before API 1.42 the three streams are always attached. */
  readonly attachWebSocket: Row<AttachContainerQuery, NoBody, WebSocketResponse>;
  readonly logs: Row<ContainerLogsQuery, NoBody, BytesResponse>;
  readonly resize: Row<ResizeQuery, NoBody, EmptyResponse>;
  readonly top: Row<TopContainerQuery, NoBody, JsonResponse<TopResponse>>;
}

const empty: EmptyResponse = { kind: 'empty' };
const stopQuery: ShapeOf<StopContainerQuery> = {
  t: scalar.seconds,
  signal: scalar.since('1.42', scalar.signalName),
};

const removeQuery: ShapeOf<RemoveContainerQuery> = { force: scalar.bool, v: scalar.bool, link: scalar.bool };

/** Everything under `/containers`. Source: engine-api 2–8. */
export const containerEndpoints: ContainerEndpoints = {
  create: {
    method: 'POST',
    path: '/containers/create',
    query: { name: scalar.text, platform: scalar.since('1.41', scalar.text) },
    body: jsonBody('create container'),
    response: { kind: 'json' },
    success: [201],
    operation: 'create',
  },
  list: {
    method: 'GET',
    path: '/containers/json',
    query: { all: scalar.bool, limit: scalar.int, size: scalar.bool, filters: scalar.filters },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  inspect: {
    method: 'GET',
    path: '/containers/{id}/json',
    query: { size: scalar.bool },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  start: {
    method: 'POST',
    path: '/containers/{id}/start',
    query: { detachKeys: scalar.text, checkpoint: scalar.text },
    body: noBody,
    response: empty,
    success: [204, 304],
    operation: 'start',
  },
  stop: {
    method: 'POST',
    path: '/containers/{id}/stop',
    query: stopQuery,
    body: noBody,
    response: empty,
    success: [204, 304],
    operation: 'stop',
  },
  restart: {
    method: 'POST',
    path: '/containers/{id}/restart',
    query: stopQuery,
    body: noBody,
    response: empty,
    success: [204],
    operation: 'restart',
  },
  kill: {
    method: 'POST',
    path: '/containers/{id}/kill',
    query: { signal: scalar.signalName },
    body: noBody,
    response: empty,
    success: [204],
    operation: 'kill',
  },
  pause: {
    method: 'POST',
    path: '/containers/{id}/pause',
    query: {},
    body: noBody,
    response: empty,
    success: [204],
    operation: 'pause',
  },
  unpause: {
    method: 'POST',
    path: '/containers/{id}/unpause',
    query: {},
    body: noBody,
    response: empty,
    success: [204],
    operation: 'unpause',
  },
  wait: {
    method: 'POST',
    path: '/containers/{id}/wait',
    query: { condition: scalar.text },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
  rename: {
    method: 'POST',
    path: '/containers/{id}/rename',
    query: { name: scalar.text },
    body: noBody,
    response: empty,
    success: [204],
    operation: 'rename',
  },
  remove: {
    method: 'DELETE',
    path: '/containers/{id}',
    query: removeQuery,
    body: noBody,
    response: empty,
    success: [204],
    operation: 'remove',
  },
  removeLink: {
    method: 'DELETE',
    path: '/containers/{id}/{alias}',
    query: removeQuery,
    body: noBody,
    response: empty,
    success: [204],
    operation: 'update',
  },
  attach: {
    method: 'POST',
    path: '/containers/{id}/attach',
    query: {
      logs: scalar.bool,
      stream: scalar.bool,
      stdin: scalar.bool,
      stdout: scalar.bool,
      stderr: scalar.bool,
      detachKeys: scalar.text,
    },
    body: noBody,
    response: { kind: 'hijack' },
    success: [101, 200],
  },
  attachWebSocket: {
    method: 'GET',
    path: '/containers/{id}/attach/ws',
    query: {
      logs: scalar.bool,
      stream: scalar.bool,
      stdin: scalar.since('1.42', scalar.bool),
      stdout: scalar.since('1.42', scalar.bool),
      stderr: scalar.since('1.42', scalar.bool),
      detachKeys: scalar.text,
    },
    body: noBody,
    response: { kind: 'web-socket' },
    success: [101],
  },
  logs: {
    method: 'GET',
    path: '/containers/{id}/logs',
    query: {
      follow: scalar.bool,
      stdout: scalar.bool,
      stderr: scalar.bool,
      since: scalar.unixTime,
      until: scalar.unixTime,
      timestamps: scalar.bool,
      details: scalar.bool,
      tail: scalar.tail,
    },
    body: noBody,
    response: { kind: 'bytes' },
    success: [200],
  },
  resize: {
    method: 'POST',
    path: '/containers/{id}/resize',
    query: { h: scalar.terminalHeight, w: scalar.terminalWidth },
    body: noBody,
    response: empty,
    // Podman says 201.
    success: [200, 201],
  },
  top: {
    method: 'GET',
    path: '/containers/{id}/top',
    query: { ps_args: scalar.text },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
};
