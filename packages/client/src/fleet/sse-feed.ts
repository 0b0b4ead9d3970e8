import { byteChunks } from '../call.ts';
import { trustDocument } from '../codec/json.ts';
import type { HttpAnswer } from '../transport/http-connections.ts';
import { HubConnectionLostError } from './hub-errors.ts';

/** One event of a stream. */
export interface SseEvent<T> {
  /** What `Last-Event-ID` says to go on behind it. */
  readonly id: string;
  readonly data: T;
}

/** One event of a hub: an operation's with an exec's output, at most. */
const EVENT_CHARACTERS_MAX: number = 4 * 1024 * 1024;

/**
 * The events of a stream (`text/event-stream`), as they come; signs of life are left out. Breaking off frees the connection.
 *
 * @throws HubConnectionLostError when it breaks.
 */
export async function* sseFeed<T>(answer: HttpAnswer): AsyncGenerator<SseEvent<T>, void, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const bytes of byteChunks(answer.body)) {
      text += decoder.decode(bytes, { stream: true });
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      if (text.length > EVENT_CHARACTERS_MAX)
        throw new Error(`an event of more than ${EVENT_CHARACTERS_MAX} characters`);
      yield* parts.flatMap((part) => readEvent<T>(part) ?? []);
    }
  } catch (cause) {
    throw new HubConnectionLostError('a question for events', cause);
  } finally {
    answer.body.destroy();
  }
}

function readEvent<T>(part: string): SseEvent<T> | undefined {
  let id = '';
  let data: string | undefined;
  for (const line of part.split('\n')) {
    if (line.startsWith('id: ')) id = line.slice('id: '.length);
    if (line.startsWith('data: ')) data = line.slice('data: '.length);
  }
  return data === undefined ? undefined : { id, data: trustDocument<T>(JSON.parse(data)) };
}
