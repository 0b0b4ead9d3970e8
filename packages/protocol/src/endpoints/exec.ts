import type { NoQuery, ShapeOf } from '../codec/query.ts';
import type { WireSchema } from '../codec/go-schema.ts';
import * as scalar from '../codec/scalars.ts';
import { jsonBody, noBody } from '../endpoint.ts';
import type { EmptyResponse, Endpoint, HijackResponse, JsonBody, JsonResponse, NoBody } from '../endpoint.ts';
import { type ExecConfig, type ExecCreateResponse, type ExecStart } from '../models/exec-config.ts';
import type { ExecInspect } from '../models/exec-inspect.ts';
import type { ResizeQuery } from './containers.ts';

/** Programs started in running containers. */
export interface ExecEndpoints {
  readonly create: Endpoint<NoQuery, JsonBody<WireSchema<ExecConfig>>, JsonResponse<ExecCreateResponse>>;
  /** With `Detach` the answer is 200 and empty; else the connection is hijacked. */
  readonly start: Endpoint<NoQuery, JsonBody<WireSchema<ExecStart>>, HijackResponse>;
  readonly resize: Endpoint<ShapeOf<ResizeQuery>, NoBody, EmptyResponse>;
  readonly inspect: Endpoint<NoQuery, NoBody, JsonResponse<ExecInspect>>;
}

/** Programs started in running containers. Source: engine-api 5. */
export const execEndpoints: ExecEndpoints = {
  create: {
    method: 'POST',
    path: '/containers/{id}/exec',
    query: {},
    body: jsonBody('create exec', { optional: true }),
    response: { kind: 'json' },
    success: [201],
    operation: 'exec-create',
  },
  start: {
    method: 'POST',
    path: '/exec/{id}/start',
    query: {},
    body: jsonBody('start exec', { optional: true }),
    response: { kind: 'hijack' },
    success: [101, 200],
    operation: 'exec-start',
  },
  resize: {
    method: 'POST',
    path: '/exec/{id}/resize',
    query: { h: scalar.terminalHeight, w: scalar.terminalWidth },
    body: noBody,
    response: { kind: 'empty' },
    // Podman says 201.
    success: [200, 201],
  },
  inspect: {
    method: 'GET',
    path: '/exec/{id}/json',
    query: {},
    body: noBody,
    response: { kind: 'json' },
    success: [200],
  },
};
