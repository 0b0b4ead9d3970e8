import { basename, dirname } from 'node:path';
import type { Clock } from '../../core/ports/clock.ts';
import { isErrno } from '../../host/errno.ts';
import { watchDirectory } from '../../host/files.ts';

export interface LogWakeDeps {
  readonly clock: Clock;
  readonly path: string;
}

export interface LogWakeQuery {
  readonly follow: Promise<unknown>;
  readonly untilNanos?: bigint | undefined;
}

/** Tells a reader who follows a log when to look again: it was written, it ended, or the time is over. */
export class LogWake implements Disposable {
  readonly #watch: Disposable;
  readonly #timer: Disposable | undefined;
  #changed = false;
  #ended = false;
  #expired = false;
  #failure: { readonly error: unknown } | undefined;
  #waiter: PromiseWithResolvers<void> | undefined;

  constructor(deps: LogWakeDeps, query: LogWakeQuery) {
    this.#watch = this.#watchLog(deps.path);
    const ended = (): void => this.#wake(() => (this.#ended = true));
    query.follow.then(ended, ended);
    if (query.untilNanos === undefined) return;
    const leftMs = Number(query.untilNanos / 1_000_000n) + 1 - deps.clock.now().getTime();
    this.#timer = deps.clock.after(Math.max(0, leftMs), () => this.#wake(() => (this.#expired = true)));
  }

  /** The container has stopped: what is in the log now is all. */
  get ended(): boolean {
    return this.#ended;
  }

  /** `untilNanos` has come. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Forgets changes so far. To be called before reading, so that one during it is not lost. */
  clear(): void {
    this.#changed = false;
  }

  /** Resolves when there is a reason to look, at once if there was one since `clear`. @throws signal.reason; an errno error. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#throwIfFailed();
    if (this.#changed || this.#ended || this.#expired) return;
    const waiter = Promise.withResolvers<void>();
    this.#waiter = waiter;
    const abort = (): void => waiter.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await waiter.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#waiter = undefined;
    }
    this.#throwIfFailed();
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#timer?.[Symbol.dispose]();
  }

  #watchLog(path: string): Disposable {
    const name = basename(path);
    try {
      return watchDirectory(
        dirname(path),
        (changed) => {
          if (changed === name) this.#wake(() => (this.#changed = true));
        },
        (error) => this.#wake(() => (this.#failure = { error })),
      );
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      // The container was removed since it was found: nothing more will be written.
      this.#ended = true;
      return { [Symbol.dispose]() {} };
    }
  }

  #throwIfFailed(): void {
    // A container that is removed takes its directory along; then it has ended, and that is what counts.
    if (!this.#ended && this.#failure !== undefined) throw this.#failure.error;
  }

  #wake(note: () => void): void {
    note();
    this.#waiter?.resolve();
  }
}
