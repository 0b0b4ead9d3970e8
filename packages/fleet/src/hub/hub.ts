import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { EngineError } from '@fairlead/protocol';
import type { FleetOperationEvent, HostId } from '@fairlead/protocol/fleet';
import { hostClock } from '../lib/host-clock.ts';
import { Outbox } from '../lib/outbox.ts';
import { removeQueue } from '../nats/command-stream.ts';
import { isLoopback } from '../nats/nats-version.ts';
import { Accounts } from './access/accounts.ts';
import { FailureLimit } from './access/failure-limit.ts';
import { type AgentListenerDeps, listenToAgents, listenToDeadLetters, listenToSystem } from './agent-listener.ts';
import { ACCESS_ENDPOINTS } from './api/access.ts';
import type { HubParts } from './api/endpoint.ts';
import { HOST_ENDPOINTS } from './api/hosts.ts';
import { HubServer } from './api/hub-server.ts';
import { sessionEndpoints, sessionUpgrades } from './sessions/session-endpoints.ts';
import { recordingEndpoints } from './sessions/recording-endpoints.ts';
import { SessionTickets } from './sessions/session-tickets.ts';
import { SessionRelay } from './sessions/session-relay.ts';
import { HostProofs } from './api/host-proofs.ts';
import { LinkPipes } from './api/link-pipes.ts';
import { linkUpgrade } from './api/link-upgrade.ts';
import { OPERATION_ENDPOINTS } from './api/operations.ts';
import { claimSocket } from './api/unix-socket.ts';
import { Enrolment } from './host/enrolment.ts';
import { EventRing } from './host/event-ring.ts';
import { Inventory } from './host/inventory.ts';
import { Presence } from './host/presence.ts';
import type { HubListenOptions, HubOptions } from './hub-options.ts';
import { type HubNats, openHubNats } from './hub-nats.ts';
import { LateAnswers } from './late-answers.ts';
import { NatsDelivery } from './nats-delivery.ts';
import { OperationDesk } from './operation/desk.ts';
import type { OperationRecord } from './operation/record.ts';
import { AuditTable } from './store/audit-table.ts';
import { lockDirectory } from './store/directory-lock.ts';
import { HostsTable } from './store/hosts-table.ts';
import { HubDatabase } from './store/hub-database.ts';
import { OperationsTable } from './store/operations-table.ts';
import { TokensTable } from './store/tokens-table.ts';
import { UsersTable } from './store/users-table.ts';

/** A hub that serves. Disposing ends it in order; being killed loses nothing that it accepted. */
export interface Hub extends AsyncDisposable {
  /** `https://HOST:PORT`, `http://…`; undefined when it listens on no port. */
  readonly url: string | undefined;
  readonly socket: string | undefined;
  /** With `ownAgent`: where this machine's agent connects. */
  readonly ownAgentUrl: string | undefined;
  /** The NATS that it uses. */
  readonly natsUrls: readonly string[];
  /** Rejects when the hub cannot go on: its records can no longer be written. */
  readonly failed: Promise<never>;
  /** What it is made of: for whoever runs it in the same process. */
  readonly parts: HubParts;
}

/** Expiry and undelivered commands are looked for this often. */
const SWEEP_MS = 250;
const PRESENCE_MS = 1_000;
/** Old operations are forgotten this often. */
const FORGET_MS = 60_000;

/**
 * Starts a hub and resolves when it serves.
 *
 * @throws EngineError 'conflict' when its directory or an address is taken, 'forbidden' for an address that strangers reach without
 * TLS, 'unavailable' without a usable nats-server or records.
 */
export async function startHub(options: HubOptions, signal: AbortSignal): Promise<Hub> {
  if (options.listen !== undefined) refusePlaintext(options.listen);
  await using undo = new AsyncDisposableStack();
  undo.use(lockDirectory(options.directory));
  const database = undo.use(HubDatabase.open(join(options.directory, 'hub.db')));
  const hosts = new HostsTable(database);
  const agents = hosts.all().map(({ id, publicKey }) => ({ host: id, publicKey }));
  const nats = undo.use(await openHubNats(options, agents, signal));
  const pipes = nats.address === undefined ? undefined : new LinkPipes(nats.address);
  const relay = undo.use(new SessionRelay(nats.connection));
  const { parts, listener } = await makeParts({ options, database, hosts, nats, pipes, relay });
  parts.accounts.onRemoved((name) => relay.cutActor(name));
  listenToAgents(nats.connection, listener);
  await listenToDeadLetters(nats.connection, listener);
  if (nats.system !== undefined) listenToSystem(nats.system, listener);
  await nats.connection.flush();
  undo.use(startTimers(parts));
  undo.use(listener.late);
  void watchConnection(nats.connection, parts);
  const server = undo.use(makeServer(parts, { pipes, relay }));
  undo.defer(() => pipes?.close());
  const url = await listenEverywhere(server, options);
  const ownAgentUrl = options.ownAgent === true ? await listenForOwnAgent(server, options, url) : undefined;
  const undone = undo.move();
  return {
    url,
    socket: options.socket,
    ownAgentUrl,
    natsUrls: nats.urls,
    failed: database.failed,
    parts,
    [Symbol.asyncDispose]: () => undone.disposeAsync(),
  };
}

interface Made {
  readonly options: HubOptions;
  readonly database: HubDatabase;
  readonly hosts: HostsTable;
  readonly nats: HubNats;
  readonly pipes: LinkPipes | undefined;
  readonly relay: SessionRelay;
}

async function makeParts({ options, database, hosts, nats, pipes, relay }: Made): Promise<{
  readonly parts: HubParts;
  readonly listener: AgentListenerDeps;
}> {
  const { log } = options;
  const clock = hostClock();
  const nowMs = clock.nowMs.bind(clock);
  const events = new EventRing();
  const inventory = new Inventory();
  const presence = new Presence({
    nowMs,
    agents: () => hosts.size,
    changed: (host, online) => {
      const hostName = hosts.get(host)?.name ?? host;
      events.add({ kind: 'host', action: online ? 'online' : 'offline', host, hostName });
    },
  });
  const operations = new OperationsTable(database);
  const outbox = new Outbox(nats.connection, (error) => log.failure('hub.nats.not-sent', error));
  const late = new LateAnswers(outbox);
  const delivery = await NatsDelivery.create(nats.connection, {
    outbox,
    noResponders: (id) => desk.undeliverable(id, 'HOST_OFFLINE', 'the host is not connected: nothing was started'),
  });
  const desk: OperationDesk = new OperationDesk({
    table: operations,
    clock,
    delivery,
    log,
    changed: (record, lines) => addStates(events, record, lines),
  });
  const enrolment = new Enrolment({ hosts, tokens: new TokensTable(database), clock, gate: nats.gate, way: nats.way });
  const manager = await jetstreamManager(nats.connection);
  const hostRemoved = async ({ id }: { readonly id: HostId }): Promise<void> => {
    pipes?.cut(id);
    relay.cut(id);
    presence.forget(id);
    inventory.forget(id);
    delivery.forget(id);
    await desk.hostRemoved(id);
    await removeQueue(manager, id).catch((error) => log.failure('host.queue.not-removed', error, { host: id }));
  };
  const parts = {
    hosts,
    operations,
    audit: new AuditTable(database),
    desk,
    presence,
    inventory,
    events,
    enrolment,
    accounts: new Accounts(new UsersTable(database)),
    failures: new FailureLimit(nowMs),
    clock,
    log,
    hostRemoved,
  };
  return { parts, listener: { hosts, desk, presence, inventory, events, delivery, outbox, late, relay, log } };
}

/** One event for each line of an operation's history. */
function addStates(events: EventRing, record: OperationRecord, lines: readonly FleetOperationEvent[]): void {
  const { id: operationId, host, hostName } = record;
  for (const { state } of lines) events.add({ kind: 'operation', action: state, host, hostName, operationId });
}

function makeServer(
  parts: HubParts,
  { pipes, relay }: { readonly pipes: LinkPipes | undefined; readonly relay: SessionRelay },
): HubServer {
  const sessions = { relay, tickets: new SessionTickets(parts.clock.nowMs.bind(parts.clock)) };
  const proofs = new HostProofs();
  const rows = [
    proofs.endpoint,
    ...OPERATION_ENDPOINTS,
    ...HOST_ENDPOINTS,
    ...ACCESS_ENDPOINTS,
    ...sessionEndpoints(sessions),
    ...recordingEndpoints(relay),
  ];
  const link = linkUpgrade(parts, { proofs, pipes, trunks: relay.trunks });
  const upgrades = [link, ...sessionUpgrades(parts, sessions)];
  return new HubServer(parts, rows, upgrades);
}

async function listenEverywhere(server: HubServer, { socket, listen }: HubOptions): Promise<string | undefined> {
  if (socket !== undefined) {
    await claimSocket(socket);
    await server.listen({ kind: 'unix', path: socket });
  }
  if (listen === undefined) return undefined;
  const { host, tls } = listen;
  const port = await server.listen({ kind: 'tcp', host, port: listen.port, tls });
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function listenForOwnAgent(server: HubServer, { listen }: HubOptions, url: string | undefined): Promise<string> {
  if (listen !== undefined && url !== undefined && listen.tls === undefined && isLoopback(listen.host)) return url;
  return `http://127.0.0.1:${await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 })}`;
}

function refusePlaintext({ host, tls, allowPlaintext }: HubListenOptions): void {
  if (tls !== undefined || allowPlaintext === true || isLoopback(host)) return;
  throw new EngineError(
    'forbidden',
    `tokens would cross the network to ${host} unencrypted: give --tls-cert and --tls-key, or --allow-plaintext when something else protects it`,
  );
}

function startTimers({ desk, presence, operations, log }: HubParts): Disposable {
  const timers = [
    setInterval(() => desk.sweep(), SWEEP_MS),
    setInterval(() => presence.sweep(), PRESENCE_MS),
    setInterval(() => {
      operations.forget().catch((error: unknown) => log.failure('hub.operations.not-forgotten', error));
    }, FORGET_MS),
  ];
  return { [Symbol.dispose]: () => timers.forEach(clearInterval) };
}

/** While the hub is cut off from NATS it hears nobody, and that says nothing about them. */
async function watchConnection(connection: NatsConnection, { presence, log }: HubParts): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') {
      log.warning('hub.nats.disconnected');
      presence.hubIsAway();
    }
    if (status.type === 'reconnect') {
      log.event('hub.nats.reconnected');
      presence.hubIsBack();
    }
  }
}
