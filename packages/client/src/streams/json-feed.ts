import { JsonLineDecoder } from '@fairlead/protocol';
import { type Asking, byteChunks } from '../call.ts';
import { trustDocument } from '../codec/json.ts';
import { streamFailure } from './stream-failure.ts';
import type { HttpAnswer } from '../transport/http-connections.ts';

/**
 * The documents of an answer that sends one per line, as they come. Breaking off frees the connection.
 *
 * @throws ConnectionLostError when it ends in the middle of a line or breaks; ProtocolError; the signal's reason when aborted.
 */
export async function* jsonFeed<T>(answer: HttpAnswer, asked: Asking): AsyncGenerator<T, void, undefined> {
  const lines = new JsonLineDecoder();
  try {
    for await (const bytes of byteChunks(answer.body)) {
      for (const document of lines.push(bytes)) yield trustDocument<T>(document);
    }
    const last = lines.end();
    if (last !== undefined) yield trustDocument<T>(last);
  } catch (cause) {
    throw streamFailure(asked, cause);
  } finally {
    answer.body.destroy();
  }
}
