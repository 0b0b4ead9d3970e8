/**
 * Handles the requests of one connection one after the other, as HTTP/1.1 promises to a client that sends several at once.
 *
 * Without it a pipelined start would overtake its create.
 */
export class ConnectionQueue {
  readonly #limit: number;
  #tail: Promise<void> = Promise.resolve();
  #length = 0;

  /** @param limit requests that may be under way or wait */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when nothing is under way. */
  get idle(): Promise<void> {
    return this.#tail;
  }

  get length(): number {
    return this.#length;
  }

  /** Runs `task`, which must not reject, when those before it are done. @returns false when too many wait; then it never runs. */
  add(task: () => Promise<void>): boolean {
    if (this.#length >= this.#limit) return false;
    this.#length += 1;
    this.#tail = this.#length === 1 ? this.#run(task) : this.#tail.then(() => this.#run(task));
    return true;
  }

  async #run(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } finally {
      this.#length -= 1;
    }
  }
}
