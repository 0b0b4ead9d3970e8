import type { Duplex } from 'node:stream';

/**
 * Closes a connection whose client may still be writing: says the end, and throws away what comes until the client has ended, too, at
 * most for so long.
 *
 * Closing over bytes that nobody read is a reset: the client's next write fails, and it may never read its answer. Source: RFC 9112,
 * section 9.6.
 */
export async function closeLingering(connection: Duplex, withinMs: number): Promise<void> {
  const closed = Promise.withResolvers<void>();
  connection.once('close', closed.resolve);
  if (connection.writable) connection.end();
  connection.resume();
  if (connection.closed || (await within(closed.promise, withinMs))) return;
  connection.destroy();
}

/** @returns whether the promise was settled in time. */
export async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
