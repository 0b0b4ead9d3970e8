import type { ConsoleConnection } from '../core/ports/console.ts';
import type { Log } from '../lib/log.ts';
import { failureOf } from './fail.ts';
import { OutputWriter } from './output-writer.ts';
import { pumpSession, type PumpedConnection, type PumpPlan } from './pump.ts';
import type { SessionEnding, SessionReply } from './route.ts';

/**
 * How long a client may keep its side open after the engine's was closed, in milliseconds. Ours: whoever reads what was sent closes within
 * a round trip; the connection of a client that forgets to is not kept for ever.
 */
export const LINGER_MS = 10_000;

export interface RunSession {
  readonly reply: SessionReply & Pick<PumpPlan, 'framing'>;
  readonly log: Log;
  /** For the log. */
  readonly target: string;
  /** Called when the session was opened, or with why it was not. */
  readonly opened?: ((error?: unknown) => void) | undefined;
  /** What is sent last, before our side ends. */
  readonly farewell?: Uint8Array;
}

/**
 * Opens a session on a connection whose head was sent, pumps, and resolves when it has ended; the connection then closes by
 * itself. From the head on everything is said in the stream: a session that cannot be opened becomes a line of text, as in
 * Docker.
 */
export async function runSession(connection: PumpedConnection, running: RunSession): Promise<void> {
  const { reply, log, target } = running;
  const session = await openSession(connection, running);
  const ending = session.ok
    ? await pumpSession(connection, session.connection, reply)
    : ({ by: 'failed', error: session.error } as const);
  if (ending.by === 'failed' && session.ok) log.failure('api.session.broke', ending.error, { target });
  if (!session.ok) void discard(connection.input);
  closeGently(connection, ending, running.farewell);
  reply.ended?.(ending);
}

type Opened =
  | { readonly ok: true; readonly connection: ConsoleConnection }
  | { readonly ok: false; readonly error: unknown };

async function openSession({ socket }: PumpedConnection, { reply, opened, log }: RunSession): Promise<Opened> {
  try {
    const connection = await reply.open();
    opened?.();
    return { ok: true, connection };
  } catch (error) {
    opened?.(error);
    const { message, internal } = failureOf(error);
    if (internal) log.failure('api.session.unopened', error);
    else log.event('api.session.refused', { message });
    new OutputWriter(socket, reply.framing).write({ stream: 'stdout', bytes: Buffer.from(`${message}\r\n`) });
    return { ok: false, error };
  }
}

/** Ends our side once everything was sent, and the connection when the client ends its own or `LINGER_MS` later. */
function closeGently(
  { socket, draining }: PumpedConnection,
  ending: SessionEnding,
  farewell: Uint8Array | undefined,
): void {
  if (ending.by === 'client-gone' || socket.destroyed) {
    socket.destroy();
    return;
  }
  let linger: NodeJS.Timeout | undefined;
  const destroy = (): void => void socket.destroy();
  if (farewell !== undefined && socket.writable) socket.write(farewell);
  socket.end(() => {
    if (draining.aborted) return destroy();
    linger = setTimeout(destroy, LINGER_MS);
    draining.addEventListener('abort', destroy, { once: true });
  });
  socket.once('close', () => {
    clearTimeout(linger);
    draining.removeEventListener('abort', destroy);
  });
}

/** Nobody wants this input, and still it must be read: a TCP connection that closes with unread bytes resets, and what was sent last is lost. */
async function discard(input: PumpedConnection['input']): Promise<void> {
  let bytes = await input.read();
  while (bytes !== undefined) bytes = await input.read();
}
