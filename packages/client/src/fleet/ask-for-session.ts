import { EngineError, type ErrorKind } from '@fairlead/protocol';
import type { Duplex } from 'node:stream';
import { ERROR_BYTES_MAX, readText } from '../call.ts';
import { EngineUnreachableError } from '../errors.ts';
import { HttpConnections } from '../transport/http-connections.ts';
import type { HubTarget } from './hub-transport.ts';

/** A session that the hub has put on a connection of its own. */
export interface JoinedSession {
  readonly sessionId: string;
  /** Joins it again. */
  readonly token: string;
  readonly socket: Duplex;
}

/** The hub answered, and there is no session. */
export class SessionRefused extends EngineError {
  /** The hub's word for why. */
  readonly code: string;
  /** Another attempt may succeed: the hub or the agent is just not there at the moment. */
  readonly isPassing: boolean;

  constructor(kind: ErrorKind, message: string, refusal: { readonly code: string; readonly status: number }) {
    super(kind, message, { details: { ...refusal } });
    this.code = refusal.code;
    this.isPassing = refusal.status >= 500;
  }
}

/** The protocol of the upgrade: frames of a session on a byte stream. */
const UPGRADE = 'fairlead-session';

/**
 * Asks the hub for a connection that carries a session.
 *
 * @throws EngineUnreachableError when the hub cannot be reached or the host is offline; SessionRefused for every other refusal;
 * the signal's reason when aborted.
 */
export async function askForSession(
  target: HubTarget,
  asked: { readonly path: string; readonly headers: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<JoinedSession> {
  await using connections = new HttpConnections(target.hub);
  const authorization = target.token === undefined ? {} : { Authorization: `Bearer ${target.token}` };
  const answer = await connections.hijack(
    {
      method: 'GET',
      path: asked.path,
      body: undefined,
      upgrade: UPGRADE,
      headers: { Host: 'hub', ...authorization, ...asked.headers },
    },
    signal,
  );
  if (!('output' in answer)) {
    const text = await readText(answer, { operation: 'session', signal }, ERROR_BYTES_MAX);
    throw refusal(target, answer.status, text);
  }
  const sessionId = String(answer.headers['fairlead-session'] ?? '');
  const token = String(answer.headers['fairlead-session-token'] ?? asked.headers['Fairlead-Session-Token'] ?? '');
  return { sessionId, token, socket: connections.release(answer) };
}

function refusal(target: HubTarget, status: number, text: string): EngineError {
  const { code, message } = refusalIn(text);
  if (code !== 'HOST_OFFLINE') return new SessionRefused(kindOf(status), message, { code, status });
  const address = `${target.hub.describe()} (host ${target.host})`;
  return new EngineUnreachableError(message, { errno: 'EHOSTDOWN', address });
}
