import { waitOrAbort } from '../lib/wait-or-abort.ts';
import type { Answer } from './exchange.ts';
import { Hangup } from './hangup.ts';

/** How long a stream may go on for a client that half-closed or an engine that drains, in milliseconds. Ours: a last line is ready at once. */
export const FAREWELL_MS = 1_000;

/**
 * Sends the head at once, then one HTTP chunk per item, asking for the next only when the client takes what was sent.
 *
 * Ends when the items end, leaving the connection alive. When the client is gone the items are released and nothing is
 * thrown; when it only half-closed (or the engine drains) they have `FAREWELL_MS` to end by themselves.
 * @throws what the items throw; then the answer was not ended.
 */
export async function streamOut(
  answer: Answer,
  items: AsyncIterable<string | Uint8Array>,
  hangup: AbortSignal,
): Promise<void> {
  answer.flushHeaders();
  using leave = leaving(answer, hangup);
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await waitOrAbort(iterator.next(), leave.signal);
      if (next.done === true) break;
      if (next.value.length > 0 && !answer.write(next.value)) await waitOrAbort(drained(answer), leave.signal);
    }
  } catch (error) {
    // Not awaited: a generator that is asleep runs its `finally` only once it wakes.
    void iterator.return?.().catch(() => {});
    // Items may end by failing when their client is going: to one that has only half-closed the stream is whole then.
    if (!hangup.aborted && !leave.signal.aborted) throw error;
  }
  if (!answer.destroyed) answer.end();
}

/** Documents as lines. */
export async function* jsonLines(items: AsyncIterable<unknown>, lineEnd: '\n' | '\r\n'): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(item)}${lineEnd}`;
}

interface Leaving extends Disposable {
  /** Aborts when there is nobody left to write to. */
  readonly signal: AbortSignal;
}

function leaving(answer: Answer, hangup: AbortSignal): Leaving {
  const gone = new AbortController();
  let farewell: NodeJS.Timeout | undefined;
  const abort = (): void => gone.abort(new Hangup('closed'));
  const onHangup = (): void => {
    const isGone = hangup.reason instanceof Hangup && hangup.reason.by === 'closed';
    if (isGone) abort();
    else farewell = setTimeout(abort, FAREWELL_MS);
  };
  answer.once('close', abort);
  if (answer.destroyed) abort();
  else if (hangup.aborted) onHangup();
  hangup.addEventListener('abort', onHangup, { once: true });
  return {
    signal: gone.signal,
    [Symbol.dispose]: () => {
      clearTimeout(farewell);
      answer.off('close', abort);
      hangup.removeEventListener('abort', onHangup);
    },
  };
}

async function drained(answer: Answer): Promise<void> {
  const free = Promise.withResolvers<void>();
  answer.once('drain', free.resolve);
  await free.promise;
}
