import type { Duplex } from 'node:stream';

const EMPTY = new Uint8Array(0);

/**
 * Reads a connection by asking, and gives back what was read too far.
 *
 * Nothing is read ahead of the stream's own buffer, so a reader that stops makes the engine wait. The stream's errors belong to whoever
 * asks; while nobody does they are kept.
 */
export class ByteReader {
  readonly #stream: Duplex;
  #held: Uint8Array = EMPTY;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #onChange = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#onChange();
  };
  readonly #onError = (error: Error): void => {
    this.#failure = error;
    this.#onChange();
  };

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('readable', this.#onChange).on('end', this.#onEnd).on('close', this.#onChange).on('error', this.#onError);
  }

  /** The next bytes; undefined at the end. Not reentrant. @throws the stream's error; Error when it was destroyed. */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#take();
      if (bytes !== undefined) return bytes;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      if (this.#stream.destroyed) throw new Error('the connection was closed');
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      await woken.promise;
    }
  }

  /** Calls back at the next bytes, the end or a failure, while nobody reads. */
  watch(callback: (() => void) | undefined): void {
    this.#wake = callback;
    const stream = this.#stream;
    const isThere = this.#held.length > 0 || stream.readableLength > 0;
    if (isThere || this.#ended || this.#failure !== undefined || stream.destroyed) this.#onChange();
  }

  /** Puts back bytes that belong to what comes next. */
  putBack(bytes: Uint8Array): void {
    this.#held = bytes;
  }

  /** Stops reading, and puts what is held back into the stream for its next owner. */
  release(): void {
    const stream = this.#stream;
    stream.off('readable', this.#onChange).off('end', this.#onEnd).off('close', this.#onChange);
    if (this.#held.length > 0 && !stream.destroyed) stream.unshift(this.#held);
    this.#held = EMPTY;
  }

  #take(): Uint8Array | undefined {
    if (this.#held.length > 0) {
      const held = this.#held;
      this.#held = EMPTY;
      return held;
    }
    const chunk: unknown = this.#ended ? null : this.#stream.read();
    return chunk instanceof Uint8Array && chunk.length > 0 ? chunk : undefined;
  }
}
