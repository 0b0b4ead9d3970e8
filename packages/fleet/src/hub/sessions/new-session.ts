import { createHash, randomBytes } from 'node:crypto';
import { type HostId, isHostId } from '@fairlead/protocol/fleet';
import { randomToken } from '../../lib/random-id.ts';
import { HubError } from '../operation/hub-error.ts';

/** A session's id and what joins it. The id names its host, so that no hub has to remember it. */
export interface NewSession {
  readonly sessionId: string;
  readonly token: string;
}

/** A session of this host that nobody knows yet. */
export function newSession(host: HostId): NewSession {
  return { sessionId: `s_${host}_${randomToken()}`, token: randomBytes(24).toString('base64url') };
}

/** Whose session it is. @throws HubError 'SESSION_LOST' for what is no id of one. */
export function hostOf(sessionId: string): HostId {
  const [, host = '', random = ''] = sessionId.split('_');
  if (isHostId(host) && /^[a-z2-7]{26}$/.test(random)) return host;
  throw new HubError('SESSION_LOST', 'there is no such session');
}

/** What the agent is told of a token. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
