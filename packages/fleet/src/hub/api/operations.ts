import { BUDGET_HEADER, hopReserveMs, parseBudget } from '@fairlead/protocol';
import {
  type FleetOperation,
  type FleetState,
  roleIncludes,
  SUBMIT_BATCH_MAX,
  type SubmitAnswer,
  type SubmitOperation,
  submitOperationSchema,
  type SubmitRefusal,
} from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { roleForCommand } from '../../lib/role-for-command.ts';
import { refuseTooLarge } from '../nats-delivery.ts';
import { asHubError, HubError } from '../operation/hub-error.ts';
import { isOpen, type OperationRecord } from '../operation/record.ts';
import { operationView } from '../operation/view.ts';
import type { AuditLine } from '../store/audit-table.ts';
import type { HostRecord } from '../store/hosts-table.ts';
import { checked, wholeNumber } from './checked.ts';
import { type ApiRequest, type Caller, type Endpoint, endpoint, endpointWithBody, type HubParts } from './endpoint.ts';
import { Bell } from './bell.ts';
import { SSE_ALIVE_MS, type SseMessage } from './sse.ts';

/** A caller that names no patience listens for so long. Source: the fleet's contract. */
export const PATIENCE_MS = 30_000;
/** Nobody listens longer on one connection: they ask again by id. */
export const PATIENCE_MS_MAX: number = 3_600_000;
/** What one request may carry: a thousand small commands, or some large ones. */
const SUBMIT_BYTES_MAX: number = 8 * 1024 * 1024;
const LIST_MAX = 1_000;
const LIST_DEFAULT = 100;

const STATES: readonly FleetState[] = [
  'SUBMITTED',
  'QUEUED',
  'CLAIMED',
  'ACCEPTED',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'UNKNOWN',
];

const batchSchema = v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(SUBMIT_BATCH_MAX));

/** Everything about operations. */
export const OPERATION_ENDPOINTS: readonly Endpoint[] = [
  endpointWithBody(
    {
      method: 'POST',
      path: '/v1/operations',
      role: 'operate',
      body: v.unknown(),
      bodyBytesMax: SUBMIT_BYTES_MAX,
    },
    async (parts, request) => {
      if (Array.isArray(request.body)) {
        return { status: 200, body: await submitAll(parts, request, checked(batchSchema, request.body)) };
      }
      const { record, waitMs } = await submit(parts, request, request.body);
      const [now = record] = await parts.desk.wait([record], waitMs, request.signal);
      const answer = answerOf(parts, now);
      return { status: answer.state === 'ENDED' ? 200 : 202, body: answer };
    },
  ),
  endpoint({ method: 'GET', path: '/v1/operations', role: 'view' }, async (parts, { query }) => {
    return { status: 200, body: listed(parts, query).map((record) => view(parts, record)) };
  }),
  endpoint({ method: 'GET', path: '/v1/operations/:id', role: 'view' }, async (parts, { params, query, signal }) => {
    const waitMs = wholeNumber(query, 'waitMs', PATIENCE_MS_MAX) ?? 0;
    return { status: 200, body: view(parts, await waited(parts, params['id'], { waitMs, signal })) };
  }),
  endpoint({ method: 'GET', path: '/v1/operations/:id/history', role: 'view' }, async (parts, { params, signal }) => {
    return { status: 200, body: (await waited(parts, params['id'], { waitMs: 0, signal })).events };
  }),
  endpoint({ method: 'GET', path: '/v1/operations/:id/events', role: 'view' }, async (parts, request) => {
    const record = found(parts, request.params['id']);
    const asked = String(request.headers['last-event-id'] ?? request.query.get('after') ?? '0');
    const after = Number(asked);
    if (!/^\d{1,9}$/.test(asked)) throw new HubError('INVALID', 'after: not the number of an event');
    return { stream: follow(parts, { id: record.id, after }, request.signal) };
  }),
  endpoint({ method: 'POST', path: '/v1/operations/:id/cancel', role: 'operate' }, async (parts, request) => {
    const record = found(parts, request.params['id']);
    refuseRole(request, record.command);
    await audit(parts, request, { action: 'operation.cancel', target: record.hostName, detail: record.id });
    return { status: 200, body: await parts.desk.cancel(record.id, request.actor) };
  }),
];

/** A host by id or name. @throws HubError 'NOT_FOUND' */
export function hostNamed({ hosts }: HubParts, idOrName: string | undefined): HostRecord {
  const host = hosts.find(idOrName ?? '');
  if (host === undefined) throw new HubError('NOT_FOUND', `no such host: ${idOrName}`);
  return host;
}

/** An operation as it is now. */
export function view({ clock, presence }: HubParts, record: OperationRecord): FleetOperation {
  const heardMs = presence.get(record.host)?.heardMs;
  return operationView(record, { clock, silentMs: heardMs === undefined ? Infinity : clock.nowMs() - heardMs });
}

/** Who did what, for the audit. */
interface AuditedAct {
  readonly action: string;
  readonly target: string;
  readonly detail: string;
}

/** Writes a line of the audit; resolves when it is on disk. */
export async function audit({ audit: table }: HubParts, by: Caller, act: AuditedAct): Promise<void> {
  table.append(auditLine(by, act));
  await table.settled();
}

function auditLine({ actor, from }: Caller, act: AuditedAct): AuditLine {
  return { actor: actor.name, role: actor.role, from, ...act };
}

/** Something that was accepted, and how long its caller listens. */
interface Submitted {
  readonly record: OperationRecord;
  readonly waitMs: number;
}

async function submit(parts: HubParts, request: ApiRequest<unknown>, body: unknown): Promise<Submitted> {
  const asked = checked(submitOperationSchema, body);
  refuseRole(request, asked.command);
  refuseTooLarge(asked.command);
  const record = await parts.desk.submit(hostNamed(parts, asked.host), asked, {
    actor: request.actor,
    accepted: ({ id, command, hostName: target }) => {
      // In the operation's own transaction: whoever waits for that waits for this.
      parts.audit.append(auditLine(request, { action: 'operation.submit', target, detail: `${command.verb} ${id}` }));
    },
  });
  const patienceMs = patienceOf(request, asked);
  return { record, waitMs: Math.max(0, patienceMs - hopReserveMs(patienceMs)) };
}

/** Submits every one of them, and answers when all have ended or the most patient caller's time is over. */
async function submitAll(
  parts: HubParts,
  request: ApiRequest<unknown>,
  batch: readonly unknown[],
): Promise<readonly (SubmitAnswer | SubmitRefusal)[]> {
  const submitted = await Promise.all(batch.map((one) => submit(parts, request, one).catch(refusalOf)));
  const accepted = submitted.flatMap((one) => ('record' in one ? one : []));
  const waitMs = accepted.reduce((most, one) => Math.max(most, one.waitMs), 0);
  const records = accepted.map(({ record }) => record);
  const waited = await parts.desk.wait(records, waitMs, request.signal);
  const now = new Map(waited.map((record) => [record.id, record]));
  return submitted.map((one) => ('record' in one ? answerOf(parts, now.get(one.record.id) ?? one.record) : one));
}

function answerOf(parts: HubParts, record: OperationRecord): SubmitAnswer {
  return { state: isOpen(record.life.state) ? 'PENDING' : 'ENDED', operation: view(parts, record) };
}

function refusalOf(error: unknown): SubmitRefusal {
  return { state: 'REFUSED', ...asHubError(error).body };
}

function patienceOf({ headers }: ApiRequest<unknown>, { patienceMs }: SubmitOperation): number {
  const budget = headers[BUDGET_HEADER.toLowerCase()];
  const ms = patienceMs ?? parseBudget(typeof budget === 'string' ? budget : undefined) ?? PATIENCE_MS;
  return Math.min(ms, PATIENCE_MS_MAX);
}

function refuseRole({ actor }: ApiRequest<unknown>, command: SubmitOperation['command']): void {
  const needed = roleForCommand(command);
  if (roleIncludes(actor.role, needed)) return;
  const what = command.verb === 'create' ? 'a privileged create' : command.verb;
  throw new HubError('FORBIDDEN', `${what} needs the role ${needed}; ${actor.name} has ${actor.role}`);
}

function found({ desk }: HubParts, id: string | undefined): OperationRecord {
  const record = desk.get(id ?? '');
  if (record === undefined) throw new HubError('NOT_FOUND', `no such operation: ${id}`);
  return record;
}

/** How far it is, from disk, at its end or when the time is over. @throws HubError 'NOT_FOUND' */
async function waited(
  parts: HubParts,
  id: string | undefined,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<OperationRecord> {
  const record = found(parts, id);
  const [now = record] = await parts.desk.wait([record], waitMs, signal);
  return now;
}

function listed(parts: HubParts, query: URLSearchParams): readonly OperationRecord[] {
  const key = query.get('key');
  if (key !== null) return [parts.desk.byKey(key)].flatMap((record) => record ?? []);
  const host = query.get('host');
  const state = STATES.find((known) => known === query.get('state'));
  if (query.get('state') !== null && state === undefined) throw new HubError('INVALID', 'state: not a state');
  return parts.operations.list({
    host: host === null ? undefined : hostNamed(parts, host).id,
    state,
    open: query.get('open') === 'true' ? true : undefined,
    container: query.get('container') ?? undefined,
    before: query.get('before') ?? undefined,
    limit: wholeNumber(query, 'limit', LIST_MAX) ?? LIST_DEFAULT,
  });
}

/** An operation's history and what follows, until its end. Whoever comes back says what it had last. */
async function* follow(
  parts: HubParts,
  from: { readonly id: string; readonly after: number },
  signal: AbortSignal,
): AsyncGenerator<SseMessage, void, undefined> {
  let { after } = from;
  const bell = new Bell();
  using _watch = parts.desk.watch(from.id, () => bell.ring());
  while (!signal.aborted) {
    const record = await waited(parts, from.id, { waitMs: 0, signal });
    for (const event of record.events) {
      if (event.seq <= after) continue;
      after = event.seq;
      yield { id: String(event.seq), event: event.kind, data: event };
    }
    if (!isOpen(record.life.state)) return;
    if (!(await bell.heard(SSE_ALIVE_MS, signal))) yield {};
  }
}
