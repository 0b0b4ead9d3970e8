import { type Asking, byteChunks } from '../call.ts';
import type { HttpAnswer } from '../transport/http-connections.ts';
import { streamFailure } from './stream-failure.ts';

/**
 * The bytes of an answer, as they come. Breaking off the iteration frees the connection; so does disposing, also before the first byte.
 *
 * @throws ConnectionLostError when it ends in the middle; the signal's reason when aborted.
 */
export class ByteStream implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #answer: HttpAnswer;
  readonly #asked: Asking;

  constructor(answer: HttpAnswer, asked: Asking) {
    this.#answer = answer;
    this.#asked = asked;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of byteChunks(this.#answer.body)) yield chunk;
    } catch (cause) {
      throw streamFailure(this.#asked, cause);
    } finally {
      this.#answer.body.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#answer.body.destroy();
  }
}
