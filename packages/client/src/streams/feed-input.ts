import { waitOrAbort } from '../wait-or-abort.ts';
import type { ProcessSession } from './process-session.ts';

/** What a program is given to read. Text is UTF-8. */
export type ProgramInput = string | Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Sends `input` to its end, then ends the program's input. When `over` aborts nobody reads any more: the rest is dropped.
 *
 * @throws what the input throws, ConnectionLostError.
 */
export async function feedInput(
  session: ProcessSession,
  input: ProgramInput | undefined,
  over: AbortSignal,
): Promise<void> {
  if (typeof input === 'string') await session.write(Buffer.from(input));
  else if (input instanceof Uint8Array) await session.write(input);
  else if (input !== undefined) await feedStream(session, input[Symbol.asyncIterator](), over);
  session.endInput();
}

async function feedStream(
  session: ProcessSession,
  source: AsyncIterator<Uint8Array>,
  over: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      // A silent source must not keep us from noticing that nobody reads any more.
      const next = await waitOrAbort(source.next(), over);
      if (next.done === true) return;
      await waitOrAbort(session.write(next.value), over);
    }
  } catch (error) {
    // Not awaited: a generator that waits for its next item does not end before it has it.
    source.return?.().catch(() => {});
    if (!over.aborted) throw error;
  }
}
