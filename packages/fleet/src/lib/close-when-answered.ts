import type { Duplex } from 'node:stream';

/** How long a peer may take to read what was said last and to hang up. */
const LINGER_MS = 2_000;

/**
 * Closes a connection whose last words are on their way: when the peer has hung up, or `lingerMs` later.
 *
 * What the peer still sends is read and dropped: closing a socket with unread bytes resets it, and those words would be lost; not
 * reading them would hide that the peer has gone.
 */
export function closeWhenAnswered(connection: Duplex, lingerMs: number = LINGER_MS): void {
  const late = setTimeout(() => connection.destroy(), lingerMs);
  connection.once('close', () => clearTimeout(late));
  // A peer that is gone already has no use for an answer, and that is all an error can tell here.
  connection.on('error', () => {});
  connection.resume();
}
