import type { Duplex } from 'node:stream';
import { encodeFrame, encodeFrameHeader } from '@fairlead/protocol';
import { encodeWebSocketHeader } from '@fairlead/protocol/web-socket';
import type { OutputChunk } from '../core/ports/console.ts';

/**
 * Bytes that may wait in the connection before the session's output is asked for more. Ours: enough to read the next chunks
 * while the last are on their way, and little against the 1 MB the console itself holds for a reader.
 */
export const OUTPUT_HELD_BYTES_MAX: number = 256 * 1024;

/** Smaller payloads are copied behind their header: cheaper than a second entry of writev. Ours, measured. */
const COPY_BYTES_MAX = 4 * 1024;

/** What is put around a session's output: nothing, stdcopy frames, or WebSocket messages. */
export type OutputFraming = 'raw' | 'stdcopy' | 'binary-messages' | 'text-messages';

/** Writes a session's output to its connection, framed, at the pace at which the client takes it. */
export class OutputWriter {
  readonly #socket: Duplex;
  readonly #framing: OutputFraming;
  /** A text message must be UTF-8, and a chunk may end within a character. */
  readonly #text = new TextDecoder();
  #corked = false;

  constructor(socket: Duplex, framing: OutputFraming) {
    this.#socket = socket;
    this.#framing = framing;
  }

  /** Hands one chunk on; never copies a large one, and releases it when it is out. Await `room` before the next. */
  write({ stream, bytes, release }: OutputChunk): void {
    if (bytes.length === 0 || this.#socket.destroyed || !this.#socket.writable) return;
    this.#cork();
    switch (this.#framing) {
      case 'raw':
        this.#socket.write(bytes, release);
        return;
      case 'stdcopy':
        return this.#writeFrame({ stream, bytes, release });
      case 'binary-messages':
        return this.#writeMessage('binary', bytes);
      case 'text-messages':
        return this.#writeMessage('text', Buffer.from(this.#text.decode(bytes, { stream: true })));
      default:
        return this.#framing satisfies never;
    }
  }

  /** Undefined when there is room for more; else a promise for when there is, or when the connection is gone. */
  room(): Promise<void> | undefined {
    if (this.#socket.writableLength <= OUTPUT_HELD_BYTES_MAX || this.#socket.destroyed) return undefined;
    return this.#drained();
  }

  #writeFrame({ stream, bytes, release }: OutputChunk): void {
    if (bytes.length <= COPY_BYTES_MAX) {
      this.#socket.write(encodeFrame(stream, bytes));
      release?.();
      return;
    }
    this.#socket.write(encodeFrameHeader(stream, bytes.length));
    this.#socket.write(bytes, release);
  }

  #writeMessage(kind: 'binary' | 'text', bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#socket.write(encodeWebSocketHeader(kind, bytes.length));
    this.#socket.write(bytes);
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
