import { setTimeout as sleep } from 'node:timers/promises';
import { type Consumer, JetStreamApiError, jetstream, type JsMsg } from '@nats-io/jetstream';
import { COMMAND_STREAM, commandMessageSchema, operationIdSchema } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import { failure } from '../executor/failure.ts';
import type { Operations } from '../operations/operations.ts';
import { backoff, pauseMs } from './backoff.ts';
import type { Epoch } from './epoch.ts';

export interface QueueDeps {
  readonly operations: Operations;
  readonly log: FleetLog;
}

/** As many as the consumer lets one hold without an acknowledgement. */
const FETCH_MAX = 4;
/** One round of fetching. JetStream's least is a second. */
const FETCH_MS = 1_000;
/** Without a hint it is looked now and then, soon after there was something: a hint can be lost, a message can come back. */
const LOOK_AGAIN_MS_MIN = 1_000;
const LOOK_AGAIN_MS_MAX = 30_000;
/** Pause before a message is offered to a full journal again; well below the 30 s after which it would be delivered anew. */
const HOLD_MS = 2_000;
const NOT_FOUND_STATUS = 404;

/** Fetches queued commands over one connection. A message is acknowledged when the journal has it, and not before. */
export class CommandQueue {
  readonly #deps: QueueDeps;
  readonly #epoch: Epoch;
  #hint = Promise.withResolvers<void>();

  constructor(deps: QueueDeps, epoch: Epoch) {
    this.#deps = deps;
    this.#epoch = epoch;
  }

  /** Something is queued. */
  hint(): void {
    this.#hint.resolve();
  }

  /** Until the connection ends. */
  async run(): Promise<void> {
    const { ended } = this.#epoch;
    let limits = backoff(LOOK_AGAIN_MS_MIN, LOOK_AGAIN_MS_MAX);
    while (!ended.aborted) {
      const hinted = this.#hint.promise;
      try {
        while (!ended.aborted && (await this.#fetch()) > 0) limits = backoff(LOOK_AGAIN_MS_MIN, LOOK_AGAIN_MS_MAX);
      } catch (error) {
        if (!ended.aborted) this.#deps.log.warning('agent.queue.not-fetched', { why: wordsOf(error) });
      }
      const enough = new AbortController();
      const limit = AbortSignal.any([ended, enough.signal]);
      await Promise.race([hinted, sleep(pauseMs(limits), undefined, { signal: limit }).catch(() => {})]);
      enough.abort();
      if (this.#hint.promise === hinted) this.#hint = Promise.withResolvers<void>();
    }
  }

  /** One round. @returns how many came. */
  async #fetch(): Promise<number> {
    const consumer = await this.#consumer();
    if (consumer === undefined) return 0;
    let count = 0;
    const messages = await consumer.fetch({ max_messages: FETCH_MAX, expires: FETCH_MS });
    for await (const message of messages) {
      count += 1;
      await this.#take(message);
    }
    return count;
  }

  /** The hub makes it with the first command that is queued for this host; undefined before. */
  async #consumer(): Promise<Consumer | undefined> {
    try {
      return await jetstream(this.#epoch.connection).consumers.get(COMMAND_STREAM, this.#epoch.subjects.consumer);
    } catch (error) {
      if (error instanceof JetStreamApiError && error.status === NOT_FOUND_STATUS) return undefined;
      throw error;
    }
  }

  async #take(message: JsMsg): Promise<void> {
    const { operations, log } = this.#deps;
    const document = readJson(message);
    const command = v.safeParse(commandMessageSchema, document);
    if (!command.success) {
      log.warning('agent.queue.unreadable', { why: command.issues[0].message });
      const named = v.safeParse(operationIdSchema, document);
      if (named.success) operations.refuse(named.output.operationId, failure('INVALID', command.issues[0].message));
      return message.term();
    }
    // While the journal takes nothing it is held: it stays queued, and what it would be without us.
    while ((await operations.receive(command.output)) === 'refused') {
      message.working();
      await sleep(HOLD_MS, undefined, { signal: this.#epoch.ended });
    }
    message.ack();
  }
}

function readJson(message: JsMsg): unknown {
  try {
    return message.json();
  } catch {
    // The schema refuses it.
    return undefined;
  }
}
