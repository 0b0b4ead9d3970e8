import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { NatsWay } from '@fairlead/protocol/fleet';
import { ensureCommandStream } from '../nats/command-stream.ts';
import { connectNats, type NatsLink } from '../nats/connect-nats.ts';
import { type FleetKey, loadOrCreateKey } from '../nats/fleet-key.ts';
import { agentUser, type NatsAgent } from '../nats/nats-config.ts';
import { type NatsServer, startNatsServer } from '../nats/nats-server.ts';
import { natsVersion, refuseUnsafeListener } from '../nats/nats-version.ts';
import type { NatsAddress } from './api/link-pipes.ts';
import type { NatsGate } from './host/enrolment.ts';
import type { HubOptions, SiteNats } from './hub-options.ts';

/** The hub's NATS: its own child, or a site's cluster, connected to and with the stream of commands in it. Disposing ends what is its own. */
export interface HubNats extends AsyncDisposable {
  readonly connection: NatsConnection;
  /** Hears who comes and goes; undefined for a cluster of a site, which keeps that to itself. */
  readonly system: NatsConnection | undefined;
  readonly gate: NatsGate;
  readonly way: NatsWay;
  readonly urls: readonly string[];
  /** Of its own child, for the agents' pipes. */
  readonly address: NatsAddress | undefined;
}

/** Of the hub to its own server, which takes connections, but from thousands of agents at the same time. */
const CONNECTED_WITHIN_MS = 60_000;
const CONNECT_AGAIN_MS = 250;

/** Connects; `agents` may connect from the first moment. @throws EngineError 'unavailable', 'forbidden' */
export async function openHubNats(
  options: HubOptions,
  agents: readonly NatsAgent[],
  signal: AbortSignal,
): Promise<HubNats> {
  const hubKey = await loadOrCreateKey(join(options.directory, 'hub.nk'));
  return options.nats === undefined
    ? await openOwn(options, { agents, hubKey }, signal)
    : await openSite(options.nats, { options, agents, hubKey });
}

async function openOwn(
  options: HubOptions,
  { agents, hubKey }: { readonly agents: readonly NatsAgent[]; readonly hubKey: FleetKey },
  signal: AbortSignal,
): Promise<HubNats> {
  await using undo = new AsyncDisposableStack();
  const systemKey = await loadOrCreateKey(join(options.directory, 'system.nk'));
  const server: NatsServer = undo.use(
    await startNatsServer(
      {
        directory: join(options.directory, 'nats'),
        hubKey: hubKey.publicKey,
        systemKey: systemKey.publicKey,
        agents,
        program: options.natsProgram,
        log: options.log,
      },
      signal,
    ),
  );
  const servers = [server.url];
  const connection = await connectAmongMany({ servers, key: hubKey, name: 'fairlead hub' }, signal);
  undo.defer(() => connection.close());
  const system = await connectAmongMany({ servers, key: systemKey, name: 'fairlead hub ($SYS)' }, signal);
  undo.defer(() => system.close());
  await ensureCommandStream(await jetstreamManager(connection), 1);
  const undone = undo.move();
  return {
    connection,
    system,
    gate: server,
    way: { via: 'hub' },
    urls: servers,
    address: addressOf(server.url),
    [Symbol.asyncDispose]: () => undone.disposeAsync(),
  };
}

/** The server runs; but a fleet that has waited for it comes in the same moment, and may keep it busy for a while. */
async function connectAmongMany(link: NatsLink, signal: AbortSignal): Promise<NatsConnection> {
  for (const untilMs = performance.now() + CONNECTED_WITHIN_MS; ;) {
    try {
      return await connectNats(link);
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await sleep(CONNECT_AGAIN_MS, undefined, { signal });
    }
  }
}

async function openSite(
  { urls, replicas }: SiteNats,
  { options, agents, hubKey }: { options: HubOptions; agents: readonly NatsAgent[]; hubKey: FleetKey },
): Promise<HubNats> {
  options.log.event('hub.nats.key', { publicKey: hubKey.publicKey });
  await using undo = new AsyncDisposableStack();
  const connection = await connectNats({ servers: urls, key: hubKey, name: 'fairlead hub' });
  undo.defer(() => connection.close());
  const version = natsVersion(connection.info?.version ?? '');
  for (const url of urls) refuseUnsafeListener(version, addressOf(url).host);
  await ensureCommandStream(await jetstreamManager(connection), replicas);
  const gate = new SiteGate(options);
  await gate.setAgents(agents);
  const undone = undo.move();
  return {
    connection,
    system: undefined,
    gate,
    way: { via: 'direct', urls },
    urls,
    address: undefined,
    [Symbol.asyncDispose]: () => undone.disposeAsync(),
  };
}

/** A site's servers are told by whoever runs them: the users they need are written to `agents.json` in the hub's directory. */
class SiteGate implements NatsGate {
  readonly #path: string;
  readonly #options: HubOptions;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#path = join(options.directory, 'agents.json');
  }

  async setAgents(agents: readonly NatsAgent[]): Promise<void> {
    await writeFile(this.#path, JSON.stringify({ users: agents.map(agentUser) }, null, 2), { mode: 0o600 });
    this.#options.log.event('hub.nats.agents-written', { path: this.#path, agents: agents.length });
  }
}

function addressOf(url: string): NatsAddress {
  const { hostname, port } = new URL(url.includes('://') ? url : `nats://${url}`);
  return { host: hostname, port: port === '' ? 4222 : Number(port) };
}
