import { EngineError, type ErrorKind } from '@fairlead/protocol';
import type { Readable, Writable } from 'node:stream';
import { ERROR_BYTES_MAX, kindOf, readText } from '../call.ts';
import { EngineUnreachableError } from '../errors.ts';
import type { HttpConnections } from '../transport/http-connections.ts';
import { refusalIn } from './hub-refusal.ts';
import type { HubTarget } from './hub-target.ts';

/** What a session is asked for with. */
export interface SessionQuestion {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose host it is asked of, for errors. */
  readonly host?: string | undefined;
}

/** A session that the hub has put on a connection of its own. */
export interface JoinedSession {
  readonly sessionId: string;
  /** Joins it again. */
  readonly token: string;
  readonly output: Readable;
  readonly input: Writable;
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

/** The protocol of the upgrade: frames of a session, each with its length in front. */
const UPGRADE = 'fairlead-session';

/**
 * Asks the hub for a connection that carries a session. The signal ends that connection also later.
 *
 * @throws EngineUnreachableError when the hub cannot be reached or the host is offline; SessionRefused for every other refusal;
 * the signal's reason when aborted.
 */
export async function askForSession(
  deps: { readonly connections: HttpConnections; readonly target: HubTarget },
  asked: SessionQuestion,
  signal: AbortSignal,
): Promise<JoinedSession> {
  const { token } = deps.target;
  const headers = {
    Host: 'hub',
    Upgrade: UPGRADE,
    Authorization: token === undefined ? undefined : `Bearer ${token}`,
    ...asked.headers,
  };
  const answer = await deps.connections.hijack({ method: 'GET', path: asked.path, body: undefined, headers }, signal);
  if (!('output' in answer) || answer.status !== 101) {
    const body = 'output' in answer ? answer.output : answer.body;
    const text = await readText({ ...answer, body }, { operation: 'session', signal }, ERROR_BYTES_MAX);
    throw refusal(`${deps.target.hub.describe()} (host ${asked.host ?? '?'})`, answer.status, text);
  }
  const sessionId = answer.headers['fairlead-session'] ?? '';
  const joinedBy = answer.headers['fairlead-session-token'] ?? asked.headers?.['Fairlead-Session-Token'] ?? '';
  return { sessionId, token: joinedBy, output: answer.output, input: answer.input };
}

function refusal(address: string, status: number, text: string): EngineError {
  const { code, message } = refusalIn(text, 'the hub refused the session');
  if (code !== 'HOST_OFFLINE') return new SessionRefused(kindOf(status), message, { code, status });
  return new EngineUnreachableError(message, { errno: 'EHOSTDOWN', address });
}
