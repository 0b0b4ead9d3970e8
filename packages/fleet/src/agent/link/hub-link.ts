import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AgentEvent,
  type ClaimAnswer,
  type ClaimReply,
  claimReplySchema,
  type ReconcileRequest,
  type StoredEvents,
} from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import type { HubSide, UnwrittenEnd } from '../operations/operations.ts';
import { backoff, pauseMs } from './backoff.ts';
import { ASK_MS, type Epoch } from './epoch.ts';

/** Between two attempts to get one question answered, over whatever connection there is. */
const ASK_AGAIN_MS_MIN = 100;
const ASK_AGAIN_MS_MAX = 5_000;

/** Questions to the hub that outlive connections: asked until they are answered. */
export class HubLink implements HubSide {
  readonly #log: FleetLog;
  #epoch: Epoch | undefined;
  #linked = Promise.withResolvers<Epoch>();
  /** Who waits to hear what is stored of an operation; undefined: nothing was heard of it. */
  readonly #untold = new Map<string, (stored: number | undefined) => void>();

  constructor(log: FleetLog) {
    this.#log = log;
  }

  get isLinked(): boolean {
    return this.#epoch !== undefined;
  }

  /** From now on questions go there, until it has ended. */
  use(epoch: Epoch): void {
    this.#epoch = epoch;
    this.#linked.resolve(epoch);
    epoch.ended.addEventListener('abort', () => {
      if (this.#epoch !== epoch) return;
      this.#epoch = undefined;
      this.#linked = Promise.withResolvers<Epoch>();
      for (const tell of this.#untold.values()) tell(undefined);
    });
  }

  async claim(operationId: string, signal: AbortSignal): Promise<ClaimAnswer> {
    const { alsoStored, ...answer } = await this.#ask(operationId, signal);
    if (alsoStored !== undefined) this.heardStored(alsoStored);
    return answer;
  }

  /** Tells events of one operation until the hub says how far it has stored them. @throws the signal's reason. */
  async tell(operationId: string, events: readonly AgentEvent[], signal: AbortSignal): Promise<number> {
    for (const limits = backoff(ASK_AGAIN_MS_MIN, ASK_AGAIN_MS_MAX); ;) {
      const epoch = await this.#whenLinked(signal);
      const stored = await this.#told(epoch, operationId, events);
      if (stored !== undefined) return stored;
      if (!epoch.ended.aborted) this.#log.warning('agent.link.not-answered', { operationId });
      await sleep(pauseMs(limits), undefined, { signal });
    }
  }

  /** The hub said what it has stored. */
  heardStored(all: readonly StoredEvents[]): void {
    for (const { operationId, stored } of all) this.#untold.get(operationId)?.(stored);
  }

  /** Once: a hub that does not hear it asks with the next hello. */
  async tellEnd({ operationId, storedSeq }: ReconcileRequest, end: UnwrittenEnd): Promise<void> {
    const event = { seq: storedSeq + 1, atMs: 0, kind: 'done', ...end };
    try {
      await this.#epoch?.ask(this.#epoch.subjects.operationEvent(operationId), event);
    } catch (error) {
      this.#log.warning('agent.link.not-told', { operationId, why: wordsOf(error) });
    }
  }

  /** Asks until there is an answer of the form agreed upon. @throws the signal's reason. */
  async #ask(operationId: string, signal: AbortSignal): Promise<ClaimReply> {
    for (const limits = backoff(ASK_AGAIN_MS_MIN, ASK_AGAIN_MS_MAX); ;) {
      const epoch = await this.#whenLinked(signal);
      try {
        return v.parse(claimReplySchema, await epoch.ask(epoch.subjects.claim, { operationId }));
      } catch (error) {
        if (!epoch.ended.aborted) this.#log.warning('agent.link.not-answered', { why: wordsOf(error) });
      }
      await sleep(pauseMs(limits), undefined, { signal });
    }
  }

  /** Says it once. @returns what the hub has stored of it; undefined: nothing was heard of that within `ASK_MS`, or the connection ended. */
  async #told(epoch: Epoch, operationId: string, events: readonly AgentEvent[]): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    this.#untold.set(operationId, resolve);
    const timer = setTimeout(resolve, ASK_MS, undefined);
    epoch.say(epoch.subjects.operationEvent(operationId), events);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#untold.delete(operationId);
    }
  }

  async #whenLinked(signal: AbortSignal): Promise<Epoch> {
    signal.throwIfAborted();
    if (this.#epoch !== undefined) return this.#epoch;
    const left = Promise.withResolvers<never>();
    const abort = (): void => left.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([this.#linked.promise, left.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
