import { EngineError, versionAtLeast, type ApiVersion } from '@fairlead/protocol';
import type { ConsoleConnection } from '../core/ports/console.ts';
import type { Log } from '../lib/log.ts';
import type { Exchange, ResponseHeaders, TakenConnection } from './exchange.ts';
import { failureOf } from './fail.ts';
import { OutputWriter } from './output-writer.ts';
import { pumpSession } from './pump.ts';
import type { HijackReply, SessionEnding } from './route.ts';
import type { SocketReader } from './socket-reader.ts';

/**
 * How long a client may keep its side open after the engine's was closed, in milliseconds. Ours: whoever reads what was sent closes within
 * a round trip; the connection of a client that forgets to is not kept for ever.
 */
export const LINGER_MS = 10_000;

export interface RunHijack {
  readonly reply: HijackReply;
  /** The engine's headers; exec's head carries them. */
  readonly headers: ResponseHeaders;
  readonly apiVersion: ApiVersion;
  readonly log: Log;
  /** Called when the session was opened, or with why it was not. */
  readonly opened?: (error?: unknown) => void;
}

/**
 * Turns the connection into a two-way stream and resolves when that has ended; the connection then closes by itself.
 *
 * From the head on everything is said in the stream: a session that cannot be opened becomes a line of text, as in Docker.
 * @throws EngineError, before the head, when the request's body is broken or the endpoint is no hijack.
 */
export async function runHijack(exchange: Exchange, running: RunHijack): Promise<void> {
  const { reply, log } = running;
  if (exchange.take === undefined)
    throw new EngineError('internal', `Cannot hijack ${exchange.target}: its endpoint does not`);
  const connection = await exchange.take();
  const { socket } = connection;
  socket.write(hijackHead(connection, running));
  const session = await openSession(connection, running);
  const ending = session.ok
    ? await pumpSession(connection, session.connection, reply)
    : ({ by: 'failed', error: session.error } as const);
  if (ending.by === 'failed' && session.ok) log.failure('api.session.broke', ending.error, { target: exchange.target });
  if (!session.ok) void discard(connection.input);
  closeGently(connection, ending);
  reply.ended?.(ending);
}

/** Byte for byte Docker's. Source: engine-api 5.2 and 6. */
export function hijackHead(
  { upgrade }: Pick<TakenConnection, 'upgrade'>,
  { reply, headers, apiVersion }: Pick<RunHijack, 'reply' | 'headers' | 'apiVersion'>,
): string {
  const isMultiplexed = upgrade && reply.framing === 'stdcopy' && versionAtLeast(apiVersion, MULTIPLEXED_SINCE);
  const lines = [
    upgrade ? 'HTTP/1.1 101 UPGRADED' : 'HTTP/1.1 200 OK',
    `Content-Type: application/vnd.docker.${isMultiplexed ? 'multiplexed' : 'raw'}-stream`,
    ...(upgrade ? ['Connection: Upgrade', 'Upgrade: tcp'] : []),
    ...(reply.head === 'exec' ? HEAD_HEADERS.map((name) => `${name}: ${headers[name] ?? ''}`) : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const MULTIPLEXED_SINCE: ApiVersion = '1.42';
const HEAD_HEADERS = ['Api-Version', 'Docker-Experimental', 'Ostype', 'Server'] as const;

type Opened =
  | { readonly ok: true; readonly connection: ConsoleConnection }
  | { readonly ok: false; readonly error: unknown };

async function openSession({ socket }: TakenConnection, { reply, opened, log }: RunHijack): Promise<Opened> {
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
function closeGently({ socket, draining }: TakenConnection, ending: SessionEnding): void {
  if (ending.by === 'client-gone' || socket.destroyed) {
    socket.destroy();
    return;
  }
  let linger: NodeJS.Timeout | undefined;
  const destroy = (): void => void socket.destroy();
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
async function discard(input: SocketReader): Promise<void> {
  let bytes = await input.read();
  while (bytes !== undefined) bytes = await input.read();
}
