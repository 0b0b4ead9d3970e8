import { type EncodedFrame, frontOfFrame } from '@fairlead/protocol/fleet';
import type { Writable } from 'node:stream';

/**
 * Writes sessions' frames on a byte stream. Nothing is copied: what is written within one turn of the event loop goes out in one
 * write. The payloads belong to the stream from then on.
 *
 * Nothing waits for the stream: what may be on its way is bounded by the receiver's credit.
 */
export class FrameWriter {
  readonly #stream: Writable;
  #isCorked = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /**
   * A stream that takes nothing any more loses the frame; the session goes on at the next one.
   *
   * @param channel whose it is, on a trunk.
   */
  write(frame: EncodedFrame, channel = ''): void {
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
    stream.write(frontOfFrame(frame, channel));
    if (frame.payload.length > 0) stream.write(frame.payload);
  }
}
