import { type HostId, hostSubjects, type StoredEvents } from '@fairlead/protocol/fleet';
import type { Outbox } from '../lib/outbox.ts';

/** Well within the time after which an agent tells again. */
const LATE_MS = 1_000;
/** Of one host: more than these do not wait for each other. */
const WAITING_MAX = 64;

/**
 * Answers that no agent is in a hurry for: that the end of an operation is stored, so that it may be forgotten. They go along in the next answer
 * to a claim of that host, or in one message within a second: a host that works all the time hears half as often, and notes several ends
 * on its disk at once.
 */
export class LateAnswers implements Disposable {
  readonly #outbox: Outbox;
  readonly #byHost = new Map<HostId, StoredEvents[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  add(host: HostId, stored: StoredEvents): void {
    const waiting = this.#byHost.get(host);
    if (waiting === undefined) this.#byHost.set(host, [stored]);
    else waiting.push(stored);
    if (waiting !== undefined && waiting.length >= WAITING_MAX) this.send(host);
    this.#timer ??= setTimeout(() => this.#sendAll(), LATE_MS);
  }

  /** Gives those of this host to whoever sends them along; undefined when none wait. */
  take(host: HostId): readonly StoredEvents[] | undefined {
    const waiting = this.#byHost.get(host);
    this.#byHost.delete(host);
    return waiting;
  }

  /** Sends those of this host now. */
  send(host: HostId): void {
    const waiting = this.take(host);
    if (waiting !== undefined) this.#outbox.send(hostSubjects(host).rpc('stored'), waiting);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #sendAll(): void {
    this.#timer = undefined;
    for (const host of this.#byHost.keys()) this.send(host);
  }
}
