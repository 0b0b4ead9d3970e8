import { type FleetContainer, type FleetHost, hostChangeSchema } from '@fairlead/protocol/fleet';
import { parseSelector, selects } from '../../lib/selector.ts';
import { isOpen } from '../operation/record.ts';
import type { HostRecord } from '../store/hosts-table.ts';
import { Bell } from './bell.ts';
import { wholeNumber } from './checked.ts';
import { type Endpoint, endpoint, endpointWithBody, type HubParts } from './endpoint.ts';
import { audit, hostNamed } from './operations.ts';
import { SSE_ALIVE_MS, type SseMessage } from './sse.ts';

/** Containers in one answer: a page that people look at, not an export. */
const CONTAINERS_MAX = 10_000;

/** Everything about hosts and what is on them. */
export const HOST_ENDPOINTS: readonly Endpoint[] = [
  endpoint({ method: 'GET', path: '/v1/hosts', role: 'view' }, async (parts, { query }) => {
    const selector = parseSelector(query.get('selector') ?? '');
    const hosts = parts.hosts.all().filter(({ labels }) => selects(selector, labels));
    return { status: 200, body: hosts.map((host) => shown(parts, host)).toSorted(byName) };
  }),
  endpoint({ method: 'GET', path: '/v1/hosts/:host', role: 'view' }, async (parts, { params }) => {
    return { status: 200, body: shown(parts, hostNamed(parts, params['host'])) };
  }),
  endpointWithBody(
    { method: 'PATCH', path: '/v1/hosts/:host', role: 'admin', body: hostChangeSchema },
    async (parts, request) => {
      const host = hostNamed(parts, request.params['host']);
      const changed = await parts.enrolment.change(host, request.body);
      await audit(parts, request, { action: 'host.change', target: host.name, detail: JSON.stringify(request.body) });
      parts.events.add({ kind: 'host', action: 'changed', host: host.id, hostName: changed.name });
      return { status: 200, body: shown(parts, changed) };
    },
  ),
  endpoint({ method: 'DELETE', path: '/v1/hosts/:host', role: 'admin' }, async (parts, request) => {
    const host = hostNamed(parts, request.params['host']);
    await audit(parts, request, { action: 'host.remove', target: host.name, detail: host.id });
    await parts.enrolment.remove(host);
    await parts.hostRemoved(host);
    parts.events.add({ kind: 'host', action: 'removed', host: host.id, hostName: host.name });
    return { status: 200, body: { removed: host.id } };
  }),
  endpoint({ method: 'GET', path: '/v1/containers', role: 'view' }, async (parts, { query }) => {
    const selector = parseSelector(query.get('selector') ?? '');
    const limit = wholeNumber(query, 'limit', CONTAINERS_MAX) ?? CONTAINERS_MAX;
    const hosts = parts.hosts.all().filter(({ labels }) => selects(selector, labels));
    return { status: 200, body: hosts.flatMap((host) => containersOf(parts, host)).slice(0, limit) };
  }),
  endpoint({ method: 'GET', path: '/v1/events', role: 'view' }, async (parts, request) => {
    const asked = String(request.headers['last-event-id'] ?? request.query.get('after') ?? '');
    return { stream: followFleet(parts, asked, request.signal) };
  }),
];

function shown(parts: HubParts, host: HostRecord): FleetHost {
  const presence = parts.presence.get(host.id);
  const open = parts.desk.openOf(host.id).filter(({ life }) => isOpen(life.state));
  return {
    id: host.id,
    name: host.name,
    labels: host.labels,
    state: presence === undefined ? 'unknown' : presence.online ? 'online' : 'offline',
    engine: presence?.engine ?? null,
    agentVersion: presence?.agentVersion ?? null,
    lastHeardMs: presence === undefined ? null : Math.round(parts.clock.nowMs() - presence.heardMs),
    enrolledAt: new Date(host.enrolledAt).toISOString(),
    openOperations: open.length,
    queuedOperations: open.filter(({ life, mode }) => mode === 'queue' && !life.claimed).length,
    sessions: presence?.sessions ?? 0,
    containers: parts.inventory.of(host.id)?.size ?? null,
  };
}

function containersOf({ presence, inventory }: HubParts, host: HostRecord): readonly FleetContainer[] {
  const stale = presence.get(host.id)?.online !== true;
  return [...(inventory.of(host.id)?.values() ?? [])].map((container) => ({
    ...container,
    host: host.id,
    hostName: host.name,
    stale,
  }));
}

/** `EPOCH:SEQ`; of another life of the hub, or unreadable: from the oldest that is kept. Empty: from now on. */
async function* followFleet(
  { events }: HubParts,
  asked: string,
  signal: AbortSignal,
): AsyncGenerator<SseMessage, void, undefined> {
  const [epoch, seq = ''] = asked.split(':');
  let after = asked === '' ? events.seq : epoch === events.epoch && /^\d{1,15}$/.test(seq) ? Number(seq) : 0;
  const bell = new Bell();
  using _watch = events.watch(() => bell.ring());
  while (!signal.aborted) {
    for (const event of events.after(after)) {
      after = event.seq;
      yield { id: `${events.epoch}:${event.seq}`, event: event.kind, data: event };
    }
    if (!(await bell.heard(SSE_ALIVE_MS, signal))) yield {};
  }
}

function byName(a: FleetHost, b: FleetHost): number {
  return a.name < b.name ? -1 : 1;
}
