import type { HostId } from '@fairlead/protocol/fleet';
import type { Outbox } from '../lib/outbox.ts';

interface LateAnswer {
  readonly subject: string;
  readonly value: object;
}

/** Well within the time after which an agent asks again. */
const LATE_MS = 1_000;
/** Of one host: more than these do not wait for each other. */
const WAITING_MAX = 64;

/**
 * Answers that no agent is in a hurry for: that the end of an operation is stored, so that it may be forgotten. They go along with the next
 * word to that host, or within a second: a host that works all the time hears half as often, and notes several ends on its disk at once.
 */
export class LateAnswers implements Disposable {
  readonly #outbox: Outbox;
  readonly #byHost = new Map<HostId, LateAnswer[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  add(host: HostId, subject: string, value: object): void {
    const waiting = this.#byHost.get(host);
    if (waiting === undefined) this.#byHost.set(host, [{ subject, value }]);
    else waiting.push({ subject, value });
    if (waiting !== undefined && waiting.length >= WAITING_MAX) this.send(host);
    this.#timer ??= setTimeout(() => this.#sendAll(), LATE_MS);
  }

  /** Sends those of this host: something else is on its way there. */
  send(host: HostId): void {
    const waiting = this.#byHost.get(host);
    if (waiting === undefined) return;
    this.#byHost.delete(host);
    for (const { subject, value } of waiting) this.#outbox.send(subject, value);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #sendAll(): void {
    this.#timer = undefined;
    for (const host of this.#byHost.keys()) this.send(host);
  }
}
