import type { ConsoleConnection, OutputChunk } from '../ports/console.ts';

/**
 * A connection to a process that may not exist yet. Input waits with the writer, so nothing is buffered here; an end of
 * input before the start is delivered after it.
 */
export class LateConnection implements ConsoleConnection {
  readonly #onLeave: () => void;
  readonly #target = Promise.withResolvers<ConsoleConnection | undefined>();
  #disposed = false;

  /** `onLeave` is called when it is disposed of, connected or not. */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  get output(): AsyncIterable<OutputChunk> {
    return this.#read();
  }

  /** Hands over the real connection, which is released at once if nobody waits any more. */
  async connect(target: ConsoleConnection): Promise<void> {
    if (this.#disposed) return await target[Symbol.asyncDispose]();
    this.#target.resolve(target);
  }

  /** There will be no process: the output ends. */
  end(): void {
    this.#target.resolve(undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await (await this.#target.promise)?.write(bytes);
  }

  async endInput(): Promise<void> {
    await (await this.#target.promise)?.endInput();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#onLeave();
    this.#target.resolve(undefined);
    await (await this.#target.promise)?.[Symbol.asyncDispose]();
  }

  async *#read(): AsyncGenerator<OutputChunk> {
    const target = await this.#target.promise;
    if (target !== undefined) yield* target.output;
  }
}
