import type { NoQuery, ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import { noBody } from '../endpoint.ts';
import type { Endpoint, JsonResponse, JsonStreamResponse, NoBody } from '../endpoint.ts';
import type { Operation } from '../models/operation.ts';

export interface ListOperationsQuery {
  /** The newest n; the engine has a limit of its own. */
  readonly limit?: number;
  /** Only those of one container: a name, an id or a unique prefix of one; also of one that is removed. */
  readonly container?: string;
}

export interface FollowOperationsQuery {
  /** As in `ListOperationsQuery`; a name may belong to a container that is still to come. */
  readonly container?: string;
}

export interface WaitOperationQuery {
  /** A document whenever it enters a phase; the last one when it is done. */
  readonly phases?: boolean;
}

/** What Docker does not have. */
export interface FairleadEndpoints {
  /** Newest first. */
  readonly operations: Endpoint<ShapeOf<ListOperationsQuery>, NoBody, JsonResponse<readonly Operation[]>>;
  /** Those that are over from now on, as they end, and before that when their caller hangs up. */
  readonly followOperations: Endpoint<ShapeOf<FollowOperationsQuery>, NoBody, JsonStreamResponse<Operation>>;
  readonly operation: Endpoint<NoQuery, NoBody, JsonResponse<Operation>>;
  /** Answers when the operation is done. The head is sent at once. */
  readonly waitOperation: Endpoint<ShapeOf<WaitOperationQuery>, NoBody, JsonResponse<Operation>>;
}

/** What Docker does not have. Source: deadlines.md, rule 8. */
export const fairleadEndpoints: FairleadEndpoints = {
  operations: {
    method: 'GET',
    path: '/fairlead/operations',
    query: { limit: scalar.int, container: scalar.text },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
    unversioned: true,
  },
  followOperations: {
    method: 'GET',
    path: '/fairlead/operation-feed',
    query: { container: scalar.text },
    body: noBody,
    response: { kind: 'json-stream' },
    success: [200],
    unversioned: true,
  },
  operation: {
    method: 'GET',
    path: '/fairlead/operations/{id}',
    query: {},
    body: noBody,
    response: { kind: 'json' },
    success: [200],
    unversioned: true,
  },
  waitOperation: {
    method: 'GET',
    path: '/fairlead/operations/{id}/wait',
    query: { phases: scalar.bool },
    body: noBody,
    response: { kind: 'json' },
    success: [200],
    unversioned: true,
  },
};
