/**
 * Awaits `promise`, giving up when `signal` aborts.
 *
 * Giving up stops the waiting, never the work: the promise still runs, and `onAbandoned` receives
 * what it yields so that a late result (a socket, a lease) is released and not leaked.
 *
 * @throws signal.reason when aborted first.
 */
export async function waitOrAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  onAbandoned: (late: T) => void = () => {},
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } catch (error) {
    if (signal.aborted) void promise.then(onAbandoned, () => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
