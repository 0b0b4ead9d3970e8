/**
 * Many agents in one process, for `bench/fleet/main.ts`: each has its own connection, key and permissions, claims what it is sent
 * and says that it is done. Reads its hosts as JSON from standard input, and says on standard output when all of them are there.
 */
import { text } from 'node:stream/consumers';
import { WireAgent, type WireAgentPlace } from '@fairlead/fleet/testing';
import { heartbeatMs, hostSubjects, isHostId } from '@fairlead/protocol/fleet';

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
}

/** Connections that are made at the same time. */
const AT_ONCE = 16;
const ENGINE = { name: 'fairlead', version: '0.1.0', apiVersion: '1.44', state: 'ok' } as const;

const order = JSON.parse(await text(process.stdin)) as PoolOrder;
const startedAt = performance.now();
const waiting = [...order.hosts];
await Promise.all(Array.from({ length: AT_ONCE }, connectNext));
console.log(JSON.stringify({ connectedMs: performance.now() - startedAt }));

async function connectNext(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await connectOne(next);
}

async function connectOne(pooled: PooledHost): Promise<void> {
  if (!isHostId(pooled.host)) throw new Error(`not a host id: ${pooled.host}`);
  const key = { publicKey: pooled.publicKey, seed: new TextEncoder().encode(pooled.seed) };
  const place: WireAgentPlace = { servers: order.servers, host: pooled.host, key };
  const agent = await WireAgent.connect(place);
  const beat = (): void => {
    const heartbeat = { engine: ENGINE, runningOperations: 0, sessions: 0 };
    if (!agent.connection.isClosed())
      agent.connection.publish(hostSubjects(agent.host).heartbeat, JSON.stringify(heartbeat));
  };
  setInterval(beat, heartbeatMs(order.hosts.length));
  void helloAgain(agent);
}

/** An agent introduces itself on every connection; the hub may need a moment longer than its nats-server. */
async function helloAgain(agent: WireAgent): Promise<void> {
  for await (const { type } of agent.connection.status()) {
    if (type !== 'reconnect') continue;
    for (let tries = 0; tries < 100; tries += 1) {
      if (
        await agent.hello().then(
          () => true,
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
