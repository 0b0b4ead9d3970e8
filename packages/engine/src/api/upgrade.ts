import { EngineError, versionAtLeast, type ApiVersion } from '@fairlead/protocol';
import type { Log } from '../lib/log.ts';
import type { Exchange, ResponseHeaders, TakenConnection } from './exchange.ts';
import type { HijackReply } from './route.ts';
import { runSession } from './session.ts';

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
  const connection = await takeConnection(exchange);
  connection.socket.write(hijackHead(connection, running));
  await runSession(connection, { ...running, target: exchange.target });
}

/** @throws EngineError when the request's body is broken, or the endpoint is none whose connection can be taken. */
export async function takeConnection(exchange: Exchange): Promise<TakenConnection> {
  if (exchange.take === undefined) {
    throw new EngineError('internal', `Cannot hijack ${exchange.target}: its endpoint does not`);
  }
  return await exchange.take();
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
