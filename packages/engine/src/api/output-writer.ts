import type { Duplex } from 'node:stream';
import { encodeFrame, encodeFrameHeader } from '@fairlead/protocol';
import type { OutputChunk } from '../core/ports/console.ts';

/**
 * Bytes that may wait in the connection before the session's output is asked for more. Ours: enough to read the next chunks
 * while the last are on their way, and little against the 1 MB the console itself holds for a reader.
 */
export const OUTPUT_HELD_BYTES_MAX: number = 256 * 1024;

/** Smaller payloads are copied behind their header: cheaper than a second entry of writev. Ours, measured. */
const COPY_BYTES_MAX = 4 * 1024;

/** Writes a session's output to its connection, as stdcopy frames or as it is, at the pace at which the client takes it. */
export class OutputWriter {
  readonly #socket: Duplex;
  readonly #framing: 'raw' | 'stdcopy';
  #corked = false;

  constructor(socket: Duplex, framing: 'raw' | 'stdcopy') {
    this.#socket = socket;
    this.#framing = framing;
  }

  /** Hands one chunk on; never copies a large one. Await `room` before the next. */
  write({ stream, bytes }: OutputChunk): void {
    if (bytes.length === 0 || this.#socket.destroyed) return;
    this.#cork();
    if (this.#framing === 'raw') {
      this.#socket.write(bytes);
    } else if (bytes.length <= COPY_BYTES_MAX) {
      this.#socket.write(encodeFrame(stream, bytes));
    } else {
      this.#socket.write(encodeFrameHeader(stream, bytes.length));
      this.#socket.write(bytes);
    }
  }

  /** Undefined when there is room for more; else a promise for when there is, or when the connection is gone. */
  room(): Promise<void> | undefined {
    if (this.#socket.writableLength <= OUTPUT_HELD_BYTES_MAX || this.#socket.destroyed) return undefined;
    return this.#drained();
  }

  async #drained(): Promise<void> {
    const free = Promise.withResolvers<void>();
    this.#socket.once('drain', free.resolve);
    this.#socket.once('close', free.resolve);
    try {
      await free.promise;
    } finally {
      this.#socket.off('drain', free.resolve);
      this.#socket.off('close', free.resolve);
    }
  }

  // Whatever is written before the event loop turns leaves in one system call.
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }
}
