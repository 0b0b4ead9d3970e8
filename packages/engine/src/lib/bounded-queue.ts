/**
 * A queue between one producer that cannot wait and one consumer that pulls.
 *
 * Holds at most `limit` items: a producer that runs further ahead ends the queue with `overflow`, so that a consumer
 * that stopped reading costs a bounded amount of memory and learns that something is missing.
 */
export class BoundedQueue<T> implements AsyncIterableIterator<T> {
  readonly #limit: number;
  readonly #overflow: () => Error;
  readonly #items: T[] = [];
  #waiting: PromiseWithResolvers<void> | undefined;
  #ending: { readonly error?: Error } | undefined;

  constructor(limit: number, overflow: () => Error) {
    this.#limit = limit;
    this.#overflow = overflow;
  }

  /** Ignored after the end. */
  push(item: T): void {
    if (this.#ending !== undefined) return;
    if (this.#items.length >= this.#limit) return this.#end({ error: this.#overflow() });
    this.#items.push(item);
    this.#waiting?.resolve();
  }

  /** What is queued is still delivered. Idempotent. */
  end(): void {
    this.#end({});
  }

  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return { done: false, value: item };
      if (this.#ending?.error !== undefined) throw this.#ending.error;
      if (this.#ending !== undefined) return { done: true, value: undefined };
      this.#waiting = Promise.withResolvers();
      await this.#waiting.promise;
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#items.length = 0;
    this.#end({});
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this;
  }

  #end(ending: { readonly error?: Error }): void {
    this.#ending ??= ending;
    this.#waiting?.resolve();
  }
}
