/** What a line of a nats-server's log tells a program. */
export type NatsLogEvent = { readonly kind: 'reloaded' } | { readonly kind: 'reload-failed'; readonly why: string };

/**
 * Reads one line of the log; undefined for everything that is only for people.
 *
 * Source: nats-server server/reload.go ("Reloaded server configuration") and server/signal.go ("Failed to reload server
 * configuration: %s"), the same words from 2.9 to 2.12.
 */
export function readNatsLog(line: string): NatsLogEvent | undefined {
  if (line.endsWith('[INF] Reloaded server configuration')) return { kind: 'reloaded' };
  const failed = /\[ERR\] Failed to reload server configuration: (.*)$/.exec(line);
  return failed === null ? undefined : { kind: 'reload-failed', why: failed[1] ?? '' };
}
