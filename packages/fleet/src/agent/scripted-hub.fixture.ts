import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type Msg, nanos, type NatsConnection } from '@nats-io/nats-core';
import {
  type AgentEvent,
  type CancelAnswer,
  cancelAnswerSchema,
  type ClaimAnswer,
  COMMAND_STREAM,
  type CommandMessage,
  type FleetCommand,
  type Heartbeat,
  type HelloAnswer,
  type HelloRequest,
  type HostId,
  hostSubjects,
  type InventoryDelta,
  type SessionAnswer,
  sessionAnswerSchema,
  type SessionRequest,
} from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { askAgent } from '../nats/ask-agent.ts';
import { ensureCommandStream, ensureConsumer } from '../nats/command-stream.ts';

/** What a scripted hub knows of one operation. */
export interface Told {
  readonly events: AgentEvent[];
  /** In which they came. */
  messages: number;
  claims: number;
}

/**
 * The hub's side of the contract for one host, with its decisions in the test's hands: grants every claim unless told otherwise,
 * stores events in order, ignores those it has.
 */
export class ScriptedHub {
  readonly hellos: HelloRequest[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly inventories: InventoryDelta[] = [];
  readonly operations: Map<string, Told> = new Map();
  /** How claims are answered from now on; undefined: not at all. */
  claimAnswer: ((operationId: string) => ClaimAnswer | undefined) | undefined;
  helloAnswer: HelloAnswer = { heartbeatMs: 200, reconcile: [] };
  /** False: events are not answered, as if the hub were away. */
  storesEvents: boolean = true;
  readonly #connection: NatsConnection;
  readonly #host: HostId;
  #count = 0;

  constructor(connection: NatsConnection, host: HostId) {
    this.#connection = connection;
    this.#host = host;
    const subjects = hostSubjects(host);
    const hear = (subject: string, heard: (message: Msg) => void): void => {
      connection.subscribe(subject, { callback: (_error, message) => heard(message) });
    };
    hear(subjects.claim, (message) => this.#claimed(message));
    hear(subjects.operationEvent('*'), (message) => this.#heard(message));
    hear(subjects.hello, (message) => {
      this.hellos.push(message.json());
      message.respond(JSON.stringify(this.helloAnswer));
    });
    hear(subjects.heartbeat, (message) => this.heartbeats.push(message.json()));
    hear(subjects.inventory, (message) => this.inventories.push(message.json()));
  }

  /** Sends a live command. @returns its operation id. */
  send(command: FleetCommand, more: Partial<CommandMessage> = {}): string {
    const message = this.#message(command, more);
    this.#connection.publish(hostSubjects(this.#host).rpc('command'), JSON.stringify(message));
    return message.operationId;
  }

  /** Queues a command with JetStream and says so. @returns its operation id. */
  async enqueue(command: FleetCommand): Promise<string> {
    const manager = await jetstreamManager(this.#connection);
    await ensureCommandStream(manager, 1);
    await ensureConsumer(manager, this.#host);
    // What was on its way to a connection that was cut comes again; half a minute is long for a test.
    await manager.consumers.update(COMMAND_STREAM, this.#host, { ack_wait: nanos(2_000), max_deliver: 100 });
    const message = this.#message(command, { mode: 'queue' });
    const subjects = hostSubjects(this.#host);
    await jetstream(this.#connection).publish(subjects.command, JSON.stringify(message), {
      msgID: message.operationId,
    });
    this.#connection.publish(subjects.rpc('queued'));
    return message.operationId;
  }

  async cancel(operationId: string): Promise<CancelAnswer> {
    const asked = { rpc: 'cancel', question: { operationId }, timeoutMs: 30_000 } as const;
    return v.parse(cancelAnswerSchema, await askAgent(this.#connection, this.#host, asked));
  }

  async session(question: SessionRequest): Promise<SessionAnswer> {
    const asked = { rpc: 'session', question, timeoutMs: 30_000 } as const;
    return v.parse(sessionAnswerSchema, await askAgent(this.#connection, this.#host, asked));
  }

  /** The events of an operation once `isEnough` says so: by default, when it has ended. @throws Error with what came, after a minute. */
  async events(
    operationId: string,
    isEnough: (events: readonly AgentEvent[]) => boolean = (events) => events.at(-1)?.kind === 'done',
  ): Promise<readonly AgentEvent[]> {
    const until = performance.now() + 60_000;
    for (;;) {
      const { events = [] } = this.operations.get(operationId) ?? {};
      if (isEnough(events)) return events;
      if (performance.now() > until) throw new Error(`${operationId}: only ${JSON.stringify(events)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** How an operation ended. */
  async end(operationId: string): Promise<Extract<AgentEvent, { kind: 'done' }>> {
    const end = (await this.events(operationId)).at(-1);
    if (end?.kind !== 'done') throw new Error('no end');
    return end;
  }

  #message(command: FleetCommand, more: Partial<CommandMessage>): CommandMessage {
    this.#count += 1;
    const actor = { name: 'alice', role: 'admin' } as const;
    return { operationId: `op_${process.pid}x${this.#count}`, command, actor, mode: 'live', ...more };
  }

  #told(operationId: string): Told {
    const told = this.operations.get(operationId) ?? { events: [], messages: 0, claims: 0 };
    this.operations.set(operationId, told);
    return told;
  }

  #claimed(message: Msg): void {
    const { operationId } = message.json<{ operationId: string }>();
    const told = this.#told(operationId);
    told.claims += 1;
    const ended = told.events.at(-1)?.kind === 'done';
    const usual: ClaimAnswer = ended ? { granted: false, why: 'ended' } : { granted: true };
    const answer = this.claimAnswer === undefined ? usual : this.claimAnswer(operationId);
    if (answer !== undefined) message.respond(JSON.stringify(answer));
  }

  #heard(message: Msg): void {
    if (!this.storesEvents) return;
    const told = this.#told(message.subject.split('.').at(-1) ?? '');
    told.messages += 1;
    const { events } = told;
    let stored = events.at(-1)?.seq ?? 0;
    for (const event of [message.json<AgentEvent | readonly AgentEvent[]>()].flat()) {
      const isOver = events.at(-1)?.kind === 'done';
      if (event.seq === stored + 1 && !isOver) events.push(event);
      stored = Math.max(stored, events.at(-1)?.seq ?? 0, isOver ? event.seq : 0);
    }
    if (message.respond(JSON.stringify({ stored }))) return;
    const operationId = message.subject.split('.').at(-1);
    this.#connection.publish(hostSubjects(this.#host).rpc('stored'), JSON.stringify([{ operationId, stored }]));
  }
}
