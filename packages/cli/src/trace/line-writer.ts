import type { Writable } from 'node:stream';
import { writeAll } from '@fairlead/client';

/** Texts that may wait for whoever reads them; more are left out, and that is said. */
const WAITING_MAX = 20_000;

/** Writes texts one after the other without holding up whoever tells them. */
export class LineWriter {
  readonly #out: Writable;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #leftOut = 0;
  #failure: Error | undefined;

  constructor(out: Writable) {
    this.#out = out;
    // What fails is told to whoever waits for the writes; without a listener it would end the process first.
    if (out.listenerCount('error') === 0) out.on('error', () => {});
  }

  write(text: string): void {
    if (text === '' || this.#failure !== undefined) return;
    if (this.#waiting >= WAITING_MAX) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting += 1;
    this.#tail = this.#tail.then(async () => {
      try {
        await writeAll(this.#out, this.#leftOutNotice() + text);
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error), { cause: error });
      }
      this.#waiting -= 1;
    });
  }

  /** Resolves when everything is out. @throws what the first failed write said. */
  async done(): Promise<void> {
    await this.#tail;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #leftOutNotice(): string {
    const count = this.#leftOut;
    this.#leftOut = 0;
    return count === 0 ? '' : `(${count} lines are left out: they were not read in time)\n`;
  }
}
