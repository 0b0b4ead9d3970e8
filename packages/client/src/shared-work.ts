import { waitOrAbort } from './wait-or-abort.ts';

/** Work that is done once for everybody who wants its result, and given up when nobody waits for it any more. */
export class SharedWork<T> {
  readonly #begin: (signal: AbortSignal) => Promise<T>;
  #current: Work<T> | undefined;

  constructor(begin: (signal: AbortSignal) => Promise<T>) {
    this.#begin = begin;
  }

  /** The result there is or that is on its way; begins when there is none. @throws as the work; the signal's reason. */
  async result(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const work = (this.#current ??= this.#start());
    work.waiting += 1;
    try {
      return await waitOrAbort(work.promise, signal);
    } finally {
      work.waiting -= 1;
      if (work.waiting === 0 && !work.done) this.#drop(work);
    }
  }

  /** The result no longer holds: who asks next begins anew. What is on its way goes on. */
  forget(): void {
    if (this.#current?.done === true) this.#current = undefined;
  }

  /** Gives up what is on its way, and resolves when that has ended. */
  async giveUp(): Promise<void> {
    const work = this.#current;
    if (work === undefined) return;
    this.#drop(work);
    await work.promise.catch(() => {});
  }

  #start(): Work<T> {
    const abandon = new AbortController();
    const work: Work<T> = { promise: this.#begin(abandon.signal), abandon, waiting: 0, done: false };
    work.promise.then(
      () => {
        work.done = true;
      },
      () => this.#drop(work),
    );
    return work;
  }

  #drop(work: Work<T>): void {
    if (this.#current === work) this.#current = undefined;
    work.abandon.abort(new Error('nobody waits for it any more'));
  }
}

interface Work<T> {
  readonly promise: Promise<T>;
  readonly abandon: AbortController;
  waiting: number;
  done: boolean;
}
