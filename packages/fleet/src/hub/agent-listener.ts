import { jetstreamManager } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { COMMAND_STREAM, type HelloRequest, type HostId, HUB_SUBJECTS, LINK_VERSION } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import type { FleetLog } from '../lib/log.ts';
import type { Outbox } from '../lib/outbox.ts';
import { deleteQueued } from '../nats/command-stream.ts';
import { FLEET_ACCOUNT } from '../nats/nats-config.ts';
import { readClaim, readEvents, readHeartbeat, readHello, readInventory } from './agent-messages.ts';
import type { EventRing } from './host/event-ring.ts';
import type { Inventory } from './host/inventory.ts';
import type { Presence } from './host/presence.ts';
import type { LateAnswers } from './late-answers.ts';
import type { NatsDelivery } from './nats-delivery.ts';
import type { SessionRelay } from './sessions/session-relay.ts';
import type { OperationDesk } from './operation/desk.ts';
import type { HostRecord, HostsTable } from './store/hosts-table.ts';

/** What the words of agents are passed on to. */
export interface AgentListenerDeps {
  readonly hosts: HostsTable;
  readonly desk: OperationDesk;
  readonly presence: Presence;
  readonly inventory: Inventory;
  readonly events: EventRing;
  readonly delivery: NatsDelivery;
  readonly outbox: Outbox;
  readonly late: LateAnswers;
  readonly relay: SessionRelay;
  readonly log: FleetLog;
}

/** Listens to every enrolled agent. The server sees to it that each speaks for its own host only; others are not heard at all. */
export function listenToAgents(connection: NatsConnection, deps: AgentListenerDeps): void {
  const { desk, presence, inventory, events } = deps;
  const hear = (subject: string, heard: (host: HostRecord, message: Msg) => Promise<void>): void => {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) void heardBy(deps, message, heard);
        else deps.log.failure('agent.subscription.failed', error, { subject });
      },
    });
  };
  hear(HUB_SUBJECTS.claims, async (host, message) => {
    const claim = readClaim(message);
    if (claim === undefined) return unreadable(deps, message);
    const decided = await desk.claim(host.id, claim.operationId);
    const alsoStored = deps.late.take(host.id);
    answer(deps, message, alsoStored === undefined ? decided : { ...decided, alsoStored });
  });
  hear(HUB_SUBJECTS.events, async (host, message) => {
    const [, , , kind, id] = message.subject.split('.');
    if (kind === 'hello') return await hello(deps, host, message);
    const told = readEvents(message);
    if (kind !== 'op' || id === undefined || told === undefined) return unreadable(deps, message);
    presence.heardOf(host.id);
    const { stored } = await desk.told(host.id, id, told);
    if (isAsked(message)) return answer(deps, message, { stored });
    deps.late.add(host.id, { operationId: id, stored });
    if (told.at(-1)?.kind !== 'done') deps.late.send(host.id);
  });
  hear(HUB_SUBJECTS.heartbeats, async (host, message) => {
    const heartbeat = readHeartbeat(message);
    if (heartbeat === undefined) return unreadable(deps, message);
    presence.heartbeat(host.id, heartbeat);
  });
  hear(HUB_SUBJECTS.inventories, async (host, message) => {
    const delta = readInventory(message);
    if (delta === undefined) return unreadable(deps, message);
    for (const { container, action } of inventory.merge(host.id, delta)) {
      events.add({ kind: 'container', action, host: host.id, hostName: host.name, container });
    }
  });
}

/** Ends operations whose message was delivered as often as it may be, and was never taken. */
export async function listenToDeadLetters(connection: NatsConnection, deps: AgentListenerDeps): Promise<void> {
  const manager = await jetstreamManager(connection);
  connection.subscribe(HUB_SUBJECTS.maxDeliveries, {
    callback: (_error, message) => {
      const advisory = v.safeParse(maxDeliveriesSchema, readJson(message));
      const host = deps.hosts.get(message.subject.slice(message.subject.lastIndexOf('.') + 1));
      if (!advisory.success || host === undefined) return unreadable(deps, message);
      const { stream_seq: sequence } = advisory.output;
      const dead = deps.desk.openOf(host.id).find(({ life }) => life.sequence === sequence);
      deps.log.warning('operation.dead-letter', { host: host.id, operationId: dead?.id });
      if (dead !== undefined) {
        const message = 'it was delivered five times, and its agent never took it: it was not started';
        deps.desk.undeliverable(dead.id, 'DEAD_LETTER', message);
      }
      deleteQueued(manager, sequence).catch((error: unknown) => {
        deps.log.failure('operation.queue.delete-failed', error, { stream: COMMAND_STREAM });
      });
    },
  });
}

/** Listens to the server's own word on who comes and goes: milliseconds, where a heartbeat that is missing takes half a minute. */
export function listenToSystem(system: NatsConnection, deps: AgentListenerDeps): void {
  for (const kind of ['CONNECT', 'DISCONNECT'] as const) {
    system.subscribe(`$SYS.ACCOUNT.${FLEET_ACCOUNT}.${kind}`, {
      callback: (_error, message) => {
        const event = v.safeParse(systemEventSchema, readJson(message));
        if (!event.success) return unreadable(deps, message);
        const { server, client } = event.output;
        const host = deps.hosts.byPublicKey(client.user ?? '');
        if (host === undefined) return;
        const id = `${server.id}/${client.id}`;
        if (kind === 'CONNECT') deps.presence.connected(host.id, id);
        else deps.presence.disconnected(host.id, id);
      },
    });
  }
}

async function heardBy(
  { hosts, log }: AgentListenerDeps,
  message: Msg,
  heard: (host: HostRecord, message: Msg) => Promise<void>,
): Promise<void> {
  const host = hosts.get(message.subject.split('.')[1] ?? '');
  if (host === undefined) return;
  try {
    await heard(host, message);
  } catch (error) {
    log.failure('agent.message.failed', error, { subject: message.subject });
  }
}

const maxDeliveriesSchema = v.object({ stream_seq: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) });

/** Source: nats-server server/events.go, ConnectEventMsg and DisconnectEventMsg; `user` is the nkey. */
const systemEventSchema = v.object({
  server: v.object({ id: v.string() }),
  client: v.object({ id: v.number(), user: v.optional(v.string()) }),
});

async function hello(deps: AgentListenerDeps, host: HostRecord, message: Msg): Promise<void> {
  const said = readHello(message);
  if (said === undefined) return unreadable(deps, message);
  if (said.linkVersion !== LINK_VERSION) {
    deps.log.warning('agent.hello.refused', { host: host.id, linkVersion: said.linkVersion, needed: LINK_VERSION });
    return;
  }
  deps.presence.hello(host.id, said);
  // The agent speaks on another connection now: who looks at one of its sessions joins anew.
  deps.relay.cut(host.id);
  answer(deps, message, { heartbeatMs: deps.presence.heartbeatMs, reconcile: reconcileList(deps.desk, host.id, said) });
  deps.desk.deliverAgain(host.id);
  if (deps.desk.openOf(host.id).some(({ life }) => life.state === 'QUEUED')) deps.delivery.hintQueued(host.id);
}

/** What was granted to this host and that it did not name: it is asked what it knows of it. */
function reconcileList(desk: OperationDesk, host: HostId, { openOperations }: HelloRequest): readonly object[] {
  const named = new Set(openOperations);
  return desk
    .openOf(host)
    .filter(({ id, life }) => life.claimed && !named.has(id))
    .map(({ id, life }) => ({ operationId: id, storedSeq: life.agentSeq }));
}

function answer({ outbox }: AgentListenerDeps, message: Msg, value: object): void {
  if (isAsked(message)) outbox.send(message.reply, value);
}

/** NATS's client says '' of a message that wants no answer. */
function isAsked(message: Msg): message is Msg & { readonly reply: string } {
  return message.reply !== undefined && message.reply !== '';
}

function readJson(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    // The schema refuses it.
    return undefined;
  }
}

function unreadable({ log }: AgentListenerDeps, { subject }: Msg): void {
  log.warning('agent.message.unreadable', { subject });
}
