import type { ConsoleConnection, OutputChunk } from '../../core/ports/console.ts';

/** A session whose process is the test: it says what to put out, and sees what came in. */
export class FakeSession implements ConsoleConnection {
  readonly received: Buffer[] = [];
  inputEnded = false;
  disposed = false;
  /** Chunks that were pulled by the pump. */
  pulled = 0;
  /** While set, writes wait: the process does not read. */
  stalled: Promise<void> | undefined;
  readonly #queue: OutputChunk[] = [];
  #done = false;
  #failed: Error | undefined;
  #changed = Promise.withResolvers<void>();
  readonly output: AsyncIterable<OutputChunk> = this.#read();

  get input(): string {
    return Buffer.concat(this.received).toString();
  }

  say(text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): void {
    this.#queue.push({ stream, bytes: Buffer.from(text) });
    this.#wake();
  }

  exit(): void {
    this.#done = true;
    this.#wake();
  }

  fail(error: Error): void {
    this.#failed = error;
    this.#wake();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.stalled;
    this.received.push(Buffer.from(bytes));
    this.#wake();
  }

  async endInput(): Promise<void> {
    this.inputEnded = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
    this.exit();
  }

  /** Resolves when something changed for the better. */
  async until(isMet: () => boolean): Promise<void> {
    while (!isMet()) await this.#changed.promise;
  }

  async *#read(): AsyncGenerator<OutputChunk> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        this.pulled += 1;
        yield next;
        continue;
      }
      if (this.#failed !== undefined) throw this.#failed;
      if (this.#done) return;
      await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
