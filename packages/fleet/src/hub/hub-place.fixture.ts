import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos, type NatsConnection, TimeoutError } from '@nats-io/nats-core';
import {
  type AgentEvent,
  type ClaimAnswer,
  COMMAND_STREAM,
  type CommandMessage,
  type FleetOperation,
  type HelloAnswer,
  type HostId,
  hostSubjects,
  LINK_VERSION,
} from '@fairlead/protocol/fleet';
import { silentFleetLog } from '../lib/log.ts';
import { connectNats } from '../nats/connect-nats.ts';
import { createKey, type FleetKey, loadOrCreateKey } from '../nats/fleet-key.ts';
import type { HubOptions } from './hub-options.ts';
import { type Hub, startHub } from './hub.ts';

/** How an agent of the tests treats what it gets; what is left out is done as an agent should. */
export interface AgentManners {
  /** Instead of claiming and running it. */
  readonly command?: (agent: WireAgent, message: CommandMessage) => Promise<void>;
  readonly cancel?: (message: Msg) => void;
}

/** An answer of the hub's API. */
export interface HubAnswer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers as they come
  readonly body: any;
}

/** A real hub with a real nats-server, in a directory of its own. Disposing ends and removes everything. */
export class HubPlace implements AsyncDisposable {
  readonly directory: string;
  readonly options: HubOptions;
  readonly #undo = new AsyncDisposableStack();
  #connection: NatsConnection | undefined;
  hub: Hub;

  private constructor(directory: string, options: HubOptions, hub: Hub) {
    this.directory = directory;
    this.options = options;
    this.hub = hub;
  }

  static async open(options: Partial<HubOptions> = {}): Promise<HubPlace> {
    await using undo = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-hub-'));
    undo.defer(() => rm(directory, { recursive: true, force: true }));
    const all = {
      directory: join(directory, 'state'),
      socket: join(directory, 'hub.sock'),
      listen: { host: '127.0.0.1', port: 0 },
      log: silentFleetLog,
      ...options,
    };
    const place = new HubPlace(directory, all, await startHub(all, AbortSignal.timeout(60_000)));
    const key = await loadOrCreateKey(join(all.directory, 'hub.nk'));
    const connection = await connectNats({ servers: place.hub.natsUrls, key, name: 'test' });
    place.#connection = connection;
    place.#undo.defer(() => connection.close());
    undo.move();
    return place;
  }

  /** A connection with the hub's own key. */
  get natsConnection(): NatsConnection {
    if (this.#connection === undefined) throw new Error('open gives one');
    return this.#connection;
  }

  /** Ends the hub in order, and starts it again; `meanwhile` has its directory to itself. */
  async restart(meanwhile: () => void = () => {}): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    meanwhile();
    this.hub = await startHub(this.options, AbortSignal.timeout(60_000));
  }

  /** Has what this host does not acknowledge delivered again after `ackWaitMs`, `deliveries` times in all; it takes minutes otherwise. */
  async hurryQueueOf(
    host: HostId,
    { ackWaitMs, deliveries }: { ackWaitMs: number; deliveries: number },
  ): Promise<void> {
    const manager = await jetstreamManager(this.natsConnection);
    await manager.consumers.update(COMMAND_STREAM, host, { ack_wait: nanos(ackWaitMs), max_deliver: deliveries });
  }

  /** Asks over the unix socket, as local root, or over TCP when there is a token. */
  async ask(method: string, path: string, options: { body?: unknown; token?: string } = {}): Promise<HubAnswer> {
    const to = options.token === undefined ? { socketPath: this.options.socket } : tcpOf(this.hub);
    return await askHub({ ...to, method, path, headers: authorization(options.token) }, options.body);
  }

  /** Enrols a host and connects an agent for it. */
  async agent(name: string, manners: AgentManners = {}, labels: Record<string, string> = {}): Promise<WireAgent> {
    const key = createKey();
    const { enrolment } = this.hub.parts;
    const { token } = await enrolment.makeToken({ name, labels }, 'local');
    const { answer: host } = await enrolment.enrol({ token, publicKey: key.publicKey });
    const agent = await WireAgent.connect({ servers: this.hub.natsUrls, host: host.host, key }, manners);
    this.#undo.use(agent);
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo.disposeAsync();
    await this.hub[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Where a test agent connects, and as whom. */
export interface WireAgentPlace {
  readonly servers: readonly string[];
  readonly host: HostId;
  readonly key: FleetKey;
}

/** What an agent says on the wire, without an engine behind it. */
export class WireAgent implements AsyncDisposable {
  readonly host: HostId;
  readonly key: FleetKey;
  readonly connection: NatsConnection;
  /** Operations that it was granted, in order: what it would have started. */
  readonly started: string[] = [];
  readonly received: CommandMessage[] = [];
  readonly #manners: AgentManners;

  private constructor(place: WireAgentPlace, connection: NatsConnection, manners: AgentManners) {
    this.host = place.host;
    this.key = place.key;
    this.connection = connection;
    this.#manners = manners;
  }

  static async connect(place: WireAgentPlace, manners: AgentManners = {}): Promise<WireAgent> {
    const { servers, host, key } = place;
    const { inboxPrefix, rpc } = hostSubjects(host);
    const connection = await connectNats({ servers, key, name: host, inboxPrefix });
    const agent = new WireAgent(place, connection, manners);
    connection.subscribe(rpc('command'), { callback: (_error, message) => void agent.#take(message.json()) });
    connection.subscribe(rpc('cancel'), {
      callback: (_error, message) =>
        manners.cancel === undefined ? answer(message, { result: 'CANCEL_DELIVERED' }) : manners.cancel(message),
    });
    await connection.flush();
    await agent.hello();
    void agent.#comeBack();
    return agent;
  }

  async hello(openOperations: readonly string[] = []): Promise<HelloAnswer> {
    const engine = { name: 'fairlead', version: '1', apiVersion: '1.47', state: 'ok' } as const;
    const hello = { linkVersion: LINK_VERSION, agentVersion: 'test', engine, openOperations };
    return await this.#ask(hostSubjects(this.host).hello, hello);
  }

  async claim(operationId: string): Promise<ClaimAnswer> {
    return await this.#ask(hostSubjects(this.host).claim, { operationId });
  }

  async tell(operationId: string, event: AgentEvent | readonly AgentEvent[]): Promise<{ stored: number }> {
    return await this.#ask(hostSubjects(this.host).operationEvent(operationId), event);
  }

  /** Claims, and tells of a start and an end. */
  async run({ operationId }: CommandMessage): Promise<void> {
    const claim = await this.claim(operationId);
    if (!claim.granted || this.started.includes(operationId)) return;
    this.started.push(operationId);
    const accepted = { kind: 'accepted', graceMs: null, boundMs: 1000, phases: ['work'] } as const;
    await this.tell(operationId, [
      { seq: 1, atMs: 0, ...accepted },
      { seq: 2, atMs: 1, kind: 'started' },
      { seq: 3, atMs: 2, kind: 'done', state: 'SUCCEEDED', outcome: { changed: true } },
    ]);
  }

  /** Takes one command out of its queue; undefined when there is none, or the server is away. Not acknowledged, it comes again. */
  async fetch({ acknowledged = true }: { readonly acknowledged?: boolean } = {}): Promise<CommandMessage | undefined> {
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${COMMAND_STREAM}.${this.host}`;
    const body = JSON.stringify({ batch: 1, no_wait: true });
    const message = await this.connection
      .request(subject, body, { timeout: 5_000, noMux: true, reply: createInbox(hostSubjects(this.host).inboxPrefix) })
      .catch(ifGone);
    if (message === undefined || (message.headers?.code ?? 0) >= 400) return undefined;
    if (acknowledged) message.respond('+ACK');
    return message.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }

  /** Says hello on every connection, and tells anew what the hub asks for. */
  async #comeBack(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type !== 'reconnect') continue;
      for (const { operationId, storedSeq } of await this.#helloUntilHeard()) {
        const end = { kind: 'done', state: 'SUCCEEDED', outcome: { changed: true } } as const;
        // What it never started (the answer to its claim was lost) it may start now.
        if (!this.started.includes(operationId)) await this.#take({ ...NOOP, operationId });
        else await this.tell(operationId, { seq: storedSeq + 1, atMs: 0, ...end }).catch(ifGone);
      }
    }
  }

  /** The server is back before the hub listens. */
  async #helloUntilHeard(): Promise<HelloAnswer['reconcile']> {
    for (;;) {
      const answer = await this.hello().catch(ifGone);
      if (answer !== undefined) return answer.reconcile;
      if (this.connection.isClosed()) return [];
      await sleep(50);
    }
  }

  async #take(message: CommandMessage): Promise<void> {
    this.received.push(message);
    try {
      await (this.#manners.command === undefined ? this.run(message) : this.#manners.command(this, message));
    } catch (error) {
      // The hub or the server went away in the middle: the test says what must come of it.
      if (!(error instanceof Error)) throw error;
    }
  }

  async #ask<T>(subject: string, value: unknown): Promise<T> {
    // As the real agent does: what a server that died took with it is asked again.
    for (let times = 1; ; times += 1) {
      try {
        return (await this.connection.request(subject, JSON.stringify(value), { timeout: 4_000 })).json();
      } catch (error) {
        if (!(error instanceof TimeoutError) || times === 8) throw error;
      }
    }
  }
}

const NOOP: Omit<CommandMessage, 'operationId'> = {
  command: { verb: 'noop' },
  actor: { name: 'local', role: 'admin' },
  mode: 'live',
};

/** The server or the hub is away: nothing came of it. */
function ifGone(error: unknown): undefined {
  if (!(error instanceof Error)) throw error;
}

/** Commands queued at the moment, as JetStream has them. */
export async function queuedMessages(connection: NatsConnection): Promise<number> {
  const { state } = await (await jetstreamManager(connection)).streams.info(COMMAND_STREAM);
  return state.messages;
}

/** Has an agent take and run what waits in its queue until the hub has no operation without an end, or a minute and a half has passed. */
export async function runQueue(place: HubPlace, agent: WireAgent): Promise<void> {
  const untilMs = performance.now() + 90_000;
  while (performance.now() < untilMs) {
    const message = await agent.fetch();
    if (message !== undefined) await agent.run(message).catch(ifGone);
    else if (place.hub.parts.operations.list({ open: true, limit: 1 }).length === 0) return;
    else await sleep(100);
  }
}

/** One request to a hub. */
export async function askHub(to: RequestOptions, body?: unknown): Promise<HubAnswer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const answer = Promise.withResolvers<HubAnswer>();
  const request = httpRequest(to, (response) => {
    void (async () => {
      let all = '';
      for await (const chunk of response.setEncoding('utf8')) all += String(chunk);
      const read: unknown = all === '' ? undefined : JSON.parse(all);
      answer.resolve({ status: response.statusCode ?? 0, body: read });
    })().catch(answer.reject);
  });
  request.once('error', answer.reject);
  request.end(text);
  return await answer.promise;
}

/** True for an operation without an end. */
export function isPending({ outcome }: FleetOperation): boolean {
  return outcome === null;
}

function tcpOf(hub: Hub): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(hub.url ?? '');
  return { host: hostname, port: Number(port) };
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
}

function answer(message: Msg, value: object): void {
  message.respond(JSON.stringify(value));
}
