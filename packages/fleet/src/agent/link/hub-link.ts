import { setTimeout as sleep } from 'node:timers/promises';
import { type ClaimAnswer, claimAnswerSchema, type ReconcileRequest } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import type { HubSide, UnwrittenEnd } from '../operations/operations.ts';
import { backoff, pauseMs } from './backoff.ts';
import type { Epoch } from './epoch.ts';

/** Between two attempts to get one question answered, over whatever connection there is. */
const ASK_AGAIN_MS_MIN = 100;
const ASK_AGAIN_MS_MAX = 5_000;

/** Questions to the hub that outlive connections: asked until they are answered. */
export class HubLink implements HubSide {
  readonly #log: FleetLog;
  #epoch: Epoch | undefined;
  #linked = Promise.withResolvers<Epoch>();

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
    });
  }

  async claim(operationId: string, signal: AbortSignal): Promise<ClaimAnswer> {
    return await this.ask(
      (epoch) => epoch.subjects.claim,
      { question: { operationId }, schema: claimAnswerSchema },
      signal,
    );
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
  async ask<T>(
    subjectOf: (epoch: Epoch) => string,
    { question, schema }: { readonly question: unknown; readonly schema: v.GenericSchema<unknown, T> },
    signal: AbortSignal,
  ): Promise<T> {
    for (const limits = backoff(ASK_AGAIN_MS_MIN, ASK_AGAIN_MS_MAX); ;) {
      const epoch = await this.#whenLinked(signal);
      try {
        return v.parse(schema, await epoch.ask(subjectOf(epoch), question));
      } catch (error) {
        if (!epoch.ended.aborted) this.#log.warning('agent.link.not-answered', { why: wordsOf(error) });
      }
      await sleep(pauseMs(limits), undefined, { signal });
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
