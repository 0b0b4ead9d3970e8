/**
 * Many agents in one process, for `bench/fleet/main.ts`: each has its own connection, key and permissions, claims what it is sent
 * and says that it is done. Reads its hosts as JSON from standard input, and says `linked` on standard output whenever the last of
 * them has been answered by the hub: at first, and after every outage.
 */
import { text } from 'node:stream/consumers';
import { WireAgent, type WireAgentPlace } from '@fairlead/fleet/testing';
import { hostSubjects, isHostId } from '@fairlead/protocol/fleet';

/** One host of the pool, as JSON carries it. */
export interface PooledHost {
  readonly host: string;
  readonly publicKey: string;
  readonly seed: string;
}

/** What the pool is told. */
export interface PoolOrder {
  readonly servers: readonly string[];
  readonly hosts: readonly PooledHost[];
  readonly heartbeatMs: number;
}

/** Connections that are made at the same time. */
const AT_ONCE = 16;
const ENGINE = { name: 'fairlead', version: '0.1.0', apiVersion: '1.44', state: 'ok' } as const;

const order = JSON.parse(await text(process.stdin)) as PoolOrder;
const linked = new Set<string>();
const waiting = [...order.hosts];
await Promise.all(Array.from({ length: AT_ONCE }, connectNext));

async function connectNext(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await connectOne(next);
}

async function connectOne({ host, publicKey, seed }: PooledHost): Promise<void> {
  if (!isHostId(host)) throw new Error(`not a host id: ${host}`);
  const place: WireAgentPlace = {
    servers: order.servers,
    host,
    key: { publicKey, seed: new TextEncoder().encode(seed) },
    linked: (isLinked) => count(host, isLinked),
  };
  const agent = await WireAgent.connect(place);
  const heartbeat = JSON.stringify({ engine: ENGINE, runningOperations: 0, sessions: 0 });
  setInterval(() => {
    if (!agent.connection.isClosed()) agent.connection.publish(hostSubjects(host).heartbeat, heartbeat);
  }, order.heartbeatMs);
}

function count(host: string, isLinked: boolean): void {
  if (!isLinked) return void linked.delete(host);
  linked.add(host);
  if (linked.size === order.hosts.length) console.log('linked');
}
