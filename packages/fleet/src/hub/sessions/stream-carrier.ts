import type { Duplex } from 'node:stream';
import { FrameWriter } from '@fairlead/client/fleet';
import { EngineError } from '@fairlead/protocol';
import { type EncodedFrame, SessionFrameReader } from '@fairlead/protocol/fleet';
import { type FrameCarrier, LAST_WORDS_WITHIN_MS, UNREAD_BYTES_MAX } from './session-relay.ts';

/** Frames on a byte stream that was upgraded: each with its length in front. */
export class StreamCarrier implements FrameCarrier {
  readonly #socket: Duplex;
  readonly #writer: FrameWriter;

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#writer = new FrameWriter(socket);
  }

  async *frames(): AsyncGenerator<EncodedFrame, void, undefined> {
    const reader = new SessionFrameReader();
    for await (const bytes of this.#socket) {
      if (!(bytes instanceof Uint8Array)) throw new EngineError('internal', 'a socket gives bytes');
      yield* reader.push(bytes);
    }
  }

  send(frame: EncodedFrame): void {
    if (this.#socket.writableLength > UNREAD_BYTES_MAX) this.#socket.destroy();
    this.#writer.write(frame);
  }

  close(): void {
    if (this.#socket.destroyed) return;
    // What was said last goes out; a caller that does not read it does not keep the connection.
    const late = setTimeout(() => this.#socket.destroy(), LAST_WORDS_WITHIN_MS);
    this.#socket.once('close', () => clearTimeout(late));
    this.#socket.end(() => this.#socket.destroy());
  }
}
