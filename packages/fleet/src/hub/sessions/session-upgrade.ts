import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { authenticate } from '../api/authenticate.ts';
import type { Caller, HubParts } from '../api/endpoint.ts';
import type { UpgradeContext } from '../api/hub-server.ts';
import { switchProtocols } from '../api/switch-protocols.ts';
import { HubError } from '../operation/hub-error.ts';
import type { NewSession } from './new-session.ts';
import { StreamCarrier } from './stream-carrier.ts';

/** The protocol of the upgrade: frames of a session, each with its length in front. Over a WebSocket each is a message. */
export const SESSION_UPGRADE = 'fairlead-session';

/** Who asks for a connection that carries a session. @throws HubError 'UNAUTHORIZED', 'INVALID' */
export function upgradeCaller(parts: HubParts, request: IncomingMessage, { isLocal }: UpgradeContext): Caller {
  const caller = authenticate(parts, request, isLocal);
  if (request.headers.upgrade?.toLowerCase() === SESSION_UPGRADE) return caller;
  throw new HubError('INVALID', `this is spoken by Upgrade: ${SESSION_UPGRADE}`);
}

/** Says yes, and how the session is joined again. */
export function begin(socket: Duplex, { sessionId, token }: NewSession): StreamCarrier {
  switchProtocols(socket, SESSION_UPGRADE, { 'Fairlead-Session': sessionId, 'Fairlead-Session-Token': token });
  return new StreamCarrier(socket);
}
