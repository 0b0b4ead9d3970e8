import { lengthOfFrame } from '@fairlead/protocol/fleet';
import type { Writable } from 'node:stream';

/**
 * Writes a session's encoded frames on a byte stream, each with its length in front. Nothing is copied: what is written within one
 * turn of the event loop goes out in one write. The frames belong to the stream from then on.
 *
 * Nothing waits for the stream: what may be on its way is bounded by the receiver's credit.
 */
export class FrameWriter {
  readonly #stream: Writable;
  #isCorked = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** A stream that takes nothing any more loses the frame; the session goes on at the next one. */
  write(encoded: Uint8Array): void {
    const stream = this.#stream;
    if (!stream.writable) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      stream.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        stream.uncork();
      });
    }
    stream.write(lengthOfFrame(encoded));
    stream.write(encoded);
  }
}
