import { setTimeout as sleep } from 'node:timers/promises';
import type { PooledHost } from './agent-pool.ts';
import type { Figure } from './figure.ts';
import type { FleetPlace } from './fleet-place.ts';
import { natsUrlOf } from './nats-url.ts';

const HEARD_MS = 1_000;

/** How long it takes until all agents are there, in two halves, and what each of them adds to the memory of the hub and of its nats-server. */
export async function measureConnecting(place: FleetPlace, hosts: readonly PooledHost[]): Promise<readonly Figure[]> {
  const way = { nats: natsUrlOf(place.directory) };
  const half = Math.ceil(hosts.length / 2);
  const natsBytes = place.memory().natsBytes;
  const none = await held(place);
  const firstMs = await place.startAgents(way, hosts.slice(0, half));
  const some = await held(place);
  const secondMs = await place.startAgents(way, hosts.slice(half));
  const all = await held(place);
  const per = (bytes: number, agents: number): string => `${(bytes / agents / 1024).toFixed(1)} KiB`;
  const halves = `${per(some - none, half)} for the first half, ${per(all - some, hosts.length - half)} for the second`;
  return [
    { what: 'all agents connected', value: `${((firstMs + secondMs) / 1000).toFixed(1)} s`, goal: '' },
    { what: 'memory per agent, hub', value: `${per(all - none, hosts.length)} (${halves})`, goal: '≤ 60 KB' },
    { what: 'memory per agent, nats-server', value: per(place.memory().natsBytes - natsBytes, hosts.length), goal: '' },
  ];
}

/** Bytes that the hub's program holds, with all garbage collected, once it has heard what the agents say behind their hello. */
async function held(place: FleetPlace): Promise<number> {
  await sleep(HEARD_MS);
  using hub = await place.inspectHub();
  const { heapBytes, externalBytes } = await hub.heap();
  return heapBytes + externalBytes;
}
