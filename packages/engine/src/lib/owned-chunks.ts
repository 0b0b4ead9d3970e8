/**
 * Chunks together with what they are made from, which is disposed when they ended, failed, were broken off (also before the first one
 * was asked for), or `signal` aborted. After an abort the next chunk is its reason, never a quiet end.
 *
 * To be iterated once.
 */
export function ownedChunks<T>(
  chunks: AsyncIterable<T>,
  owner: AsyncDisposable,
  signal: AbortSignal,
): AsyncIterable<T> {
  const iterator = chunks[Symbol.asyncIterator]();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll());
  const closeAll = async (): Promise<void> => {
    signal.removeEventListener('abort', onAbort);
    try {
      // Waits for a chunk under way: what it is made from must not be taken away meanwhile.
      await iterator.return?.();
    } finally {
      await owner[Symbol.asyncDispose]();
    }
  };
  // Whoever iterates is told by the next chunk.
  const onAbort = (): void => void close().catch(() => {});
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const next = async (): Promise<IteratorResult<T>> => {
    try {
      signal.throwIfAborted();
      const result = await iterator.next();
      signal.throwIfAborted();
      if (result.done === true) await close();
      return result;
    } catch (error) {
      await close();
      throw error;
    }
  };
  const leave = async (): Promise<IteratorResult<T>> => {
    await close();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}
