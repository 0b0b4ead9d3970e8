import type { IncomingMessage } from 'node:http';
import { LOCAL_ACTOR } from '../access/accounts.ts';
import { HubError } from '../operation/hub-error.ts';
import { TOO_MANY_FAILURES } from './access.ts';
import type { Caller, HubParts } from './endpoint.ts';

const BEARER = /^Bearer ([A-Za-z0-9_-]{1,256})$/i;

/** Where a request comes from: `unix`, or an address. */
export function sourceOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unix';
}

/**
 * Who asks: whoever reaches the unix socket is local root; everybody else has a token.
 *
 * @throws HubError 'UNAUTHORIZED', or 'TOO_MANY' after too many wrong ones from that address.
 */
export function authenticate({ accounts, failures }: HubParts, request: IncomingMessage, isLocal: boolean): Caller {
  const from = sourceOf(request);
  if (isLocal) return { actor: LOCAL_ACTOR, from: 'unix' };
  if (failures.isRefused(from)) throw new HubError('TOO_MANY', TOO_MANY_FAILURES);
  const { authorization } = request.headers;
  if (authorization === undefined) throw new HubError('UNAUTHORIZED', 'the hub needs a token: Authorization: Bearer …');
  const token = BEARER.exec(authorization)?.[1];
  const actor = token === undefined ? undefined : accounts.actorOf(token);
  if (actor !== undefined) return { actor, from };
  failures.failed(from);
  throw new HubError('UNAUTHORIZED', 'the token is nobody’s');
}
