import type { Duplex } from 'node:stream';

/**
 * Reads a connection by asking, and takes back what was read too far.
 *
 * Nothing is read ahead of the stream's own buffer, so a reader that stops makes the client wait.
 */
export class SocketReader implements Disposable {
  readonly #socket: Duplex;
  #held: Buffer;
  #ended = false;
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

  /** @param head bytes that were read already */
  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.#held = head;
    socket.on('readable', this.#onChange);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onChange);
  }

  /** The next bytes, at most `maxBytes`; undefined when the client half-closed, or when the connection is gone. Not reentrant. */
  async read(maxBytes: number = Infinity): Promise<Buffer | undefined> {
    for (;;) {
      const bytes = this.#take(maxBytes);
      if (bytes !== undefined) return bytes;
      if (this.#ended || this.#socket.destroyed) return undefined;
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      await woken.promise;
    }
  }

  /** Stops reading and puts what is held back into the connection, for its next owner. */
  [Symbol.dispose](): void {
    this.#socket.off('readable', this.#onChange);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onChange);
    if (this.#held.length > 0 && !this.#socket.destroyed) this.#socket.unshift(this.#held);
    this.#held = EMPTY;
    this.#ended = true;
    this.#onChange();
  }

  #take(maxBytes: number): Buffer | undefined {
    const bytes = this.#held.length > 0 ? this.#held : this.#next();
    if (bytes === undefined) return undefined;
    this.#held = bytes.length > maxBytes ? bytes.subarray(maxBytes) : EMPTY;
    return bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
  }

  #next(): Buffer | undefined {
    const chunk: unknown = this.#ended ? null : this.#socket.read();
    return chunk instanceof Buffer && chunk.length > 0 ? chunk : undefined;
  }
}

const EMPTY = Buffer.alloc(0);
