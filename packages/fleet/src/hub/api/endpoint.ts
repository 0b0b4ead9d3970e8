import type { IncomingHttpHeaders } from 'node:http';
import type { FleetActor, FleetRole } from '@fairlead/protocol/fleet';
import type * as v from 'valibot';
import type { HostClock } from '../../lib/host-clock.ts';
import type { FleetLog } from '../../lib/log.ts';
import type { Accounts } from '../access/accounts.ts';
import type { FailureLimit } from '../access/failure-limit.ts';
import type { Enrolment } from '../host/enrolment.ts';
import type { EventRing } from '../host/event-ring.ts';
import type { Inventory } from '../host/inventory.ts';
import type { Presence } from '../host/presence.ts';
import type { OperationDesk } from '../operation/desk.ts';
import type { AuditTable } from '../store/audit-table.ts';
import type { HostRecord, HostsTable } from '../store/hosts-table.ts';
import type { OperationsTable } from '../store/operations-table.ts';
import { checked } from './checked.ts';
import type { SseMessage } from './sse.ts';

/** What the API serves from. */
export interface HubParts {
  readonly hosts: HostsTable;
  readonly operations: OperationsTable;
  readonly audit: AuditTable;
  readonly desk: OperationDesk;
  readonly presence: Presence;
  readonly inventory: Inventory;
  readonly events: EventRing;
  readonly enrolment: Enrolment;
  readonly accounts: Accounts;
  readonly failures: FailureLimit;
  readonly clock: HostClock;
  readonly log: FleetLog;
  /** Ends everything that a host has here, after it was removed. */
  readonly hostRemoved: (host: HostRecord) => Promise<void>;
}

/** Who asks, and from where. */
export interface Caller {
  readonly actor: FleetActor;
  /** `unix`, or an address. */
  readonly from: string;
}

/** One request, read and checked. */
export interface ApiRequest<B> extends Caller {
  /** What stands for `:name` in the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: B;
  /** Aborts when the caller hangs up, or the hub closes. */
  readonly signal: AbortSignal;
}

/** How a request is answered. */
export type Answer =
  | { readonly status: number; readonly body: unknown }
  | { readonly stream: AsyncIterable<SseMessage> }
  /** A document as it comes, of this media type. */
  | { readonly bytes: AsyncIterable<Uint8Array>; readonly type: string };

/** One row of the API. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `/v1/hosts/:host` */
  readonly path: string;
  /** The least role that may ask; null: whoever can prove something else (a token, a key). */
  readonly role: FleetRole | null;
  readonly bodyBytesMax: number;
  readonly answer: (parts: HubParts, request: ApiRequest<unknown>) => Promise<Answer>;
}

/** Bodies that carry no command. */
const SMALL_BODY_BYTES: number = 64 * 1024;

/** A row without a body. */
export function endpoint(
  row: Pick<Endpoint, 'method' | 'path' | 'role'>,
  answer: (parts: HubParts, request: ApiRequest<unknown>) => Promise<Answer>,
): Endpoint {
  return { ...row, bodyBytesMax: 0, answer };
}

/** A row whose body must fit a schema. */
export function endpointWithBody<B>(
  row: Pick<Endpoint, 'method' | 'path' | 'role'> & {
    readonly body: v.GenericSchema<unknown, B>;
    readonly bodyBytesMax?: number;
  },
  answer: (parts: HubParts, request: ApiRequest<B>) => Promise<Answer>,
): Endpoint {
  const { body: schema, bodyBytesMax = SMALL_BODY_BYTES, ...rest } = row;
  return {
    ...rest,
    bodyBytesMax,
    answer: async (parts, request) => await answer(parts, { ...request, body: checked(schema, request.body) }),
  };
}
