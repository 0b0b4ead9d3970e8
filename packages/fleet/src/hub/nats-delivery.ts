import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection, NoRespondersError, TimeoutError } from '@nats-io/nats-core';
import {
  type CancelAnswer,
  cancelAnswerSchema,
  COMMAND_BYTES_MAX,
  type CommandMessage,
  type HostId,
  hostSubjects,
} from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import type { Outbox } from '../lib/outbox.ts';
import { askAgent } from '../nats/ask-agent.ts';
import { deleteQueued, ensureConsumer, isQueueFull } from '../nats/command-stream.ts';
import type { Delivery } from './operation/desk.ts';
import { HubError } from './operation/hub-error.ts';
import type { OperationRecord } from './operation/record.ts';

/** How long JetStream may take to say that it has a message. */
const PUBLISH_WITHIN_MS = 5_000;
/** How long an agent may take to answer a cancel: it looks at its journal. */
const CANCEL_WITHIN_MS = 5_000;
/** What NATS answers by itself when nobody listens to a subject. Source: NATS, ADR-22. */
const NO_RESPONDERS = 503;

/** What delivery sends with, and tells back. */
export interface DeliveryEvents {
  readonly outbox: Outbox;
  /** Nobody received this live command. */
  readonly noResponders: (operationId: string) => void;
}

/** Delivery over NATS: live commands by the core, queued ones by JetStream. */
export class NatsDelivery implements Delivery {
  readonly #connection: NatsConnection;
  readonly #outbox: Outbox;
  readonly #stream: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #replies: string;
  readonly #consumers = new Map<HostId, Promise<void>>();

  private constructor(connection: NatsConnection, manager: JetStreamManager, events: DeliveryEvents) {
    this.#connection = connection;
    this.#outbox = events.outbox;
    this.#stream = jetstream(connection, { timeout: PUBLISH_WITHIN_MS });
    this.#manager = manager;
    this.#replies = createInbox();
    connection.subscribe(`${this.#replies}.*`, {
      callback: (_error, message) => {
        if (message.headers?.code === NO_RESPONDERS) events.noResponders(lastToken(message));
      },
    });
  }

  static async create(connection: NatsConnection, events: DeliveryEvents): Promise<NatsDelivery> {
    const manager = await jetstreamManager(connection, { timeout: PUBLISH_WITHIN_MS });
    return new NatsDelivery(connection, manager, events);
  }

  sendLive(record: OperationRecord): void {
    const reply = `${this.#replies}.${record.id}`;
    this.#outbox.send(hostSubjects(record.host).rpc('command'), messageOf(record), reply);
  }

  async enqueue(record: OperationRecord): Promise<{ readonly sequence: number } | { readonly full: true }> {
    const { command, rpc } = hostSubjects(record.host);
    await this.#consumerOf(record.host);
    try {
      const { seq } = await this.#stream.publish(command, JSON.stringify(messageOf(record)), { msgID: record.id });
      this.#connection.publish(rpc('queued'));
      return { sequence: seq };
    } catch (error) {
      if (isQueueFull(error)) return { full: true };
      throw error;
    }
  }

  async deleteQueued(sequence: number): Promise<void> {
    await deleteQueued(this.#manager, sequence);
  }

  async cancel(host: HostId, operationId: string): Promise<CancelAnswer> {
    try {
      const asked = { rpc: 'cancel', question: { operationId }, timeoutMs: CANCEL_WITHIN_MS } as const;
      return v.parse(cancelAnswerSchema, await askAgent(this.#connection, host, asked));
    } catch (cause) {
      if (cause instanceof NoRespondersError || cause instanceof TimeoutError || isNoResponders(cause)) {
        throw new HubError(
          'UNAVAILABLE',
          'its agent does not answer: the cancel was not delivered, and the operation goes on',
          {
            cause,
          },
        );
      }
      throw cause;
    }
  }

  /** Says that something waits; who is not there asks by itself when it comes. */
  hintQueued(host: HostId): void {
    this.#connection.publish(hostSubjects(host).rpc('queued'));
  }

  /** The next queued command makes the host's consumer anew. */
  forget(host: HostId): void {
    this.#consumers.delete(host);
  }

  /** Once per host and life of the hub; an attempt that failed is made again with the next command. */
  async #consumerOf(host: HostId): Promise<void> {
    const known = this.#consumers.get(host);
    if (known !== undefined) return await known;
    const made = ensureConsumer(this.#manager, host);
    this.#consumers.set(host, made);
    try {
      await made;
    } catch (error) {
      this.#consumers.delete(host);
      throw error;
    }
  }
}

/** True when a command, with what is around it, fits into a message. @throws HubError 'TOO_LARGE' */
export function refuseTooLarge(command: object): void {
  const bytes = Buffer.byteLength(JSON.stringify(command));
  if (bytes > COMMAND_BYTES_MAX) {
    throw new HubError('TOO_LARGE', `the command has ${bytes} bytes: at most ${COMMAND_BYTES_MAX} are sent to a host`);
  }
}

function messageOf({ id, command, actor, mode }: OperationRecord): CommandMessage {
  return { operationId: id, command, actor, mode };
}

function lastToken({ subject }: Msg): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

function isNoResponders(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof NoRespondersError;
}
