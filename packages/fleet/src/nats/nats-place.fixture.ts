import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { hostId, type HostId, hostSubjects } from '@fairlead/protocol/fleet';
import { silentFleetLog } from '../lib/log.ts';
import { connectNats } from './connect-nats.ts';
import { createKey, type FleetKey } from './fleet-key.ts';
import type { NatsAgent } from './nats-config.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.ts';

/** A host with its key. */
export interface TestAgent extends NatsAgent {
  readonly key: FleetKey;
}

/** A real nats-server in a directory of its own, and ways to connect to it. Disposing ends and removes everything. */
export interface NatsTestPlace extends AsyncDisposable {
  readonly directory: string;
  readonly server: NatsServer;
  readonly options: NatsServerOptions;
  hub(): Promise<NatsConnection>;
  system(): Promise<NatsConnection>;
  agent(agent: TestAgent): Promise<NatsConnection>;
}

/** An agent called `h` and 26 times `letter`. */
export function testAgent(letter: string): TestAgent {
  const key = createKey();
  return { host: testHost(letter), publicKey: key.publicKey, key };
}

/** A host id out of one letter. */
export function testHost(letter: string): HostId {
  return hostId(`h${letter.repeat(26)}`);
}

/** Starts one. */
export async function natsTestPlace(agents: readonly NatsAgent[] = []): Promise<NatsTestPlace> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'fairlead-nats-'));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const [hubKey, systemKey] = [createKey(), createKey()];
  const options = {
    directory,
    hubKey: hubKey.publicKey,
    systemKey: systemKey.publicKey,
    agents,
    log: silentFleetLog,
  };
  const server = undo.use(await startNatsServer(options, AbortSignal.timeout(60_000)));
  const connectAs = async (key: FleetKey, inboxPrefix?: string): Promise<NatsConnection> => {
    const connection = await connectNats({ servers: [server.url], key, name: 'test', inboxPrefix });
    undone.defer(() => connection.close());
    return connection;
  };
  const undone = undo.move();
  return {
    directory,
    server,
    options,
    hub: () => connectAs(hubKey),
    system: () => connectAs(systemKey),
    agent: ({ host, key }) => connectAs(key, hostSubjects(host).inboxPrefix),
    [Symbol.asyncDispose]: () => undone.disposeAsync(),
  };
}
