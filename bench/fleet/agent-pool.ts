/**
 * Many agents in one process, for `bench/fleet/main.ts`: each has its own connection, key and permissions, claims what it is sent
 * and says that it is done. Reads its hosts as JSON from standard input, and says `linked` on standard output whenever the last of
 * them has been answered by the hub: at first, and after every outage.
 */
import { text } from 'node:stream/consumers';
import { isHostId } from '@fairlead/protocol/fleet';
import { LeanAgent } from './lean-agent.ts';

/** One host of the pool, as JSON carries it. */
export interface PooledHost {
  readonly host: string;
  readonly publicKey: string;
  readonly seed: string;
}

/** What the pool is told. */
export interface PoolOrder {
  /** `nats://ADDRESS:PORT` */
  readonly server: string;
  readonly hosts: readonly PooledHost[];
  readonly heartbeatMs: number;
}

/** Connections that are made at the same time. */
const AT_ONCE = 16;
const ASK_AGAIN_EVERY_MS = 1_000;

const order = JSON.parse(await text(process.stdin)) as PoolOrder;
const linked = new Set<string>();
const agents: LeanAgent[] = [];
const { hostname, port } = new URL(order.server);
const waiting = [...order.hosts];
await Promise.all(Array.from({ length: AT_ONCE }, connectNext));
setInterval(() => agents.forEach((agent) => agent.askAgain()), ASK_AGAIN_EVERY_MS);

async function connectNext(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await connectOne(next);
}

async function connectOne({ host, publicKey, seed }: PooledHost): Promise<void> {
  if (!isHostId(host)) throw new Error(`not a host id: ${host}`);
  const key = { publicKey, seed: new TextEncoder().encode(seed) };
  const address = { host: hostname, port: Number(port) };
  const up = Promise.withResolvers<void>();
  const agent = new LeanAgent({ host, key, address, linked: (isLinked) => count(host, isLinked, up.resolve) });
  agents.push(agent);
  await up.promise;
  setInterval(() => agent.beat(), order.heartbeatMs);
}

function count(host: string, isLinked: boolean, up: () => void): void {
  if (!isLinked) return void linked.delete(host);
  linked.add(host);
  up();
  if (linked.size === order.hosts.length) console.log('linked');
}
