import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What the promise comes to within `ms`; undefined when it takes longer. It goes on.
 *
 * @throws what the promise rejects with; signal.reason when aborted first.
 */
export async function settledWithin<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(() => undefined);
  try {
    const settled = await Promise.race([promise, late]);
    signal.throwIfAborted();
    return settled;
  } finally {
    over.abort();
  }
}
