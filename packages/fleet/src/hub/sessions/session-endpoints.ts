import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type FleetActor,
  type HostId,
  isHostId,
  roleIncludes,
  type SessionOpen,
  sessionOpenSchema,
  type SessionRequest,
} from '@fairlead/protocol/fleet';
import { randomToken } from '../../lib/random-id.ts';
import { authenticate } from '../api/authenticate.ts';
import { type Caller, type Endpoint, endpointWithBody, type HubParts } from '../api/endpoint.ts';
import type { UpgradeContext, UpgradeEndpoint } from '../api/hub-server.ts';
import { audit, hostNamed } from '../api/operations.ts';
import { HubError } from '../operation/hub-error.ts';
import { type SessionRelay, StreamCarrier } from './session-relay.ts';

/** The protocol of the upgrade: frames of a session, each with its length in front. */
const UPGRADE = 'fairlead-session';

/** A session's id and what joins it. The id names its host, so that no hub has to remember it. */
interface NewSession {
  readonly sessionId: string;
  readonly token: string;
}

/** `POST /v1/hosts/:host/sessions`: opens one that viewers join afterwards. */
export function sessionEndpoints(relay: SessionRelay): readonly Endpoint[] {
  return [
    endpointWithBody(
      {
        method: 'POST',
        path: '/v1/hosts/:host/sessions',
        role: 'view',
        body: sessionOpenSchema,
        bodyBytesMax: 512 * 1024,
      },
      async (parts, request) => {
        const host = hostNamed(parts, request.params['host']);
        mayOpen(request.actor, request.body);
        const session = newSession(host.id);
        await audit(parts, request, {
          action: `session.${request.body.kind}`,
          target: host.name,
          detail: words(request.body),
        });
        const { kind, tty } = await relay.ask(host.id, {
          ...{ ask: 'open', sessionId: session.sessionId, tokenHash: hashOf(session.token) },
          ...{ actor: request.actor, open: request.body },
        });
        return { status: 201, body: { ...session, kind, tty } };
      },
    ),
  ];
}

/** The connections that carry sessions. */
export function sessionUpgrades(parts: HubParts, relay: SessionRelay): readonly UpgradeEndpoint[] {
  return [
    {
      method: 'GET',
      path: '/v1/hosts/:host/engine',
      open: async (request, socket, context) => {
        const caller = allowed(parts, request, context);
        const host = hostNamed(parts, context.params['host']);
        const session = newSession(host.id);
        await audit(parts, caller, { action: 'session.tunnel', target: host.name, detail: session.sessionId });
        const asked: SessionRequest & { readonly channel: string } = {
          ...{ ask: 'open', sessionId: session.sessionId, tokenHash: hashOf(session.token) },
          ...{ actor: caller.actor, channel: randomToken(), open: { kind: 'tunnel' } },
        };
        await relay.carry(host.id, asked, () => begin(socket, session));
      },
    },
    {
      method: 'GET',
      path: '/v1/sessions/:session',
      open: async (request, socket, context) => {
        const { actor } = allowed(parts, request, context);
        const sessionId = context.params['session'] ?? '';
        const token = String(request.headers['fairlead-session-token'] ?? '');
        const write = new URL(request.url ?? '', 'http://hub').searchParams.get('write') === '1';
        const asked: SessionRequest & { readonly channel: string } = {
          ...{ ask: 'join', sessionId, tokenHash: hashOf(token), actor, channel: randomToken(), write },
        };
        await relay.carry(hostOf(sessionId), asked, () => begin(socket, { sessionId, token }));
      },
    },
  ];
}

function allowed(parts: HubParts, request: IncomingMessage, { isLocal }: UpgradeContext): Caller {
  const caller = authenticate(parts, request, isLocal);
  if (request.headers.upgrade?.toLowerCase() === UPGRADE) return caller;
  throw new HubError('INVALID', `this is spoken by Upgrade: ${UPGRADE}`);
}

function mayOpen(actor: FleetActor, open: SessionOpen): void {
  if (open.kind === 'tunnel') throw new HubError('INVALID', 'a tunnel is opened at …/engine');
  const needed = open.kind === 'logs' ? 'view' : 'exec';
  if (roleIncludes(actor.role, needed)) return;
  throw new HubError('FORBIDDEN', `this needs the role ${needed}; ${actor.name} has ${actor.role}`);
}

function begin(socket: Duplex, { sessionId, token }: NewSession): StreamCarrier {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE}\r\n` +
      `Fairlead-Session: ${sessionId}\r\nFairlead-Session-Token: ${token}\r\n\r\n`,
  );
  return new StreamCarrier(socket);
}

function newSession(host: HostId): NewSession {
  return { sessionId: `s_${host}_${randomToken()}`, token: randomBytes(24).toString('base64url') };
}

function hostOf(sessionId: string): HostId {
  const [, host = '', random = ''] = sessionId.split('_');
  if (isHostId(host) && /^[a-z2-7]{26}$/.test(random)) return host;
  throw new HubError('SESSION_LOST', 'there is no such session');
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** What is written down of a session: what it runs, never what it is given. */
function words(open: SessionOpen): string {
  if (open.kind === 'tunnel') return '';
  return open.kind === 'exec' ? `${open.container}: ${open.argv.join(' ')}` : open.container;
}
