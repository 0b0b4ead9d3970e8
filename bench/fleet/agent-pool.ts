/**
 * Many agents in one process, for `bench/fleet/main.ts`: each has its own connection, key and permissions, claims what it is sent
 * and says that it is done. Reads its hosts as JSON from standard input, and says `linked` on standard output whenever the last of
 * them has been answered by the hub: at first, and after every outage.
 */
import { text } from 'node:stream/consumers';
import { dialThroughHub } from '@fairlead/fleet/testing';
import { isHostId } from '@fairlead/protocol/fleet';
import { LeanAgent, type LeanAgentPlace } from './lean-agent.ts';

/** One host of the pool, as JSON carries it. */
export interface PooledHost {
  readonly host: string;
  readonly publicKey: string;
  readonly seed: string;
}

/** Where agents connect: to the nats-server at `nats://ADDRESS:PORT`, or through the pipes of the hub at `http://ADDRESS:PORT`. */
export type PoolWay = { readonly nats: string } | { readonly hub: string };

/** What the pool is told. */
export interface PoolOrder {
  readonly way: PoolWay;
  readonly hosts: readonly PooledHost[];
  readonly heartbeatMs: number;
}

/** Connections that are made at the same time. */
const AT_ONCE = 16;
const ASK_AGAIN_EVERY_MS = 1_000;

const order = JSON.parse(await text(process.stdin)) as PoolOrder;
const linked = new Set<string>();
const agents: LeanAgent[] = [];
const waiting = [...order.hosts];
await Promise.all(Array.from({ length: AT_ONCE }, connectNext));
setInterval(() => agents.forEach((agent) => agent.askAgain()), ASK_AGAIN_EVERY_MS);

async function connectNext(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await connectOne(next);
}

async function connectOne({ host, publicKey, seed }: PooledHost): Promise<void> {
  if (!isHostId(host)) throw new Error(`not a host id: ${host}`);
  const key = { publicKey, seed: new TextEncoder().encode(seed) };
  const up = Promise.withResolvers<void>();
  const linked = (isLinked: boolean): void => count(host, isLinked, up.resolve);
  const agent = new LeanAgent({ host, key, dial: dialOf(order.way, { host, key }), linked });
  agents.push(agent);
  await up.promise;
  setInterval(() => agent.beat(), order.heartbeatMs);
}

function dialOf(way: PoolWay, self: Pick<LeanAgentPlace, 'host' | 'key'>): LeanAgentPlace['dial'] {
  if ('hub' in way) {
    return () => dialThroughHub({ ...self, hub: { url: way.hub, ca: undefined } }, new AbortController().signal);
  }
  const { hostname: host, port } = new URL(way.nats);
  return { host, port: Number(port) };
}

function count(host: string, isLinked: boolean, up: () => void): void {
  if (!isLinked) return void linked.delete(host);
  linked.add(host);
  up();
  if (linked.size === order.hosts.length) console.log('linked');
}
