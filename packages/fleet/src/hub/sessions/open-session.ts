import {
  type FleetActor,
  roleIncludes,
  type SessionOpen,
  sessionOpenSchema,
  type SessionRequest,
} from '@fairlead/protocol/fleet';
import { randomToken } from '../../lib/random-id.ts';
import { type Endpoint, endpointWithBody, type HubParts } from '../api/endpoint.ts';
import type { UpgradeEndpoint } from '../api/hub-server.ts';
import { audit, hostNamed } from '../api/operations.ts';
import { HubError } from '../operation/hub-error.ts';
import { hashOf, newSession } from './new-session.ts';
import type { SessionRelay } from './session-relay.ts';
import { begin, upgradeCaller } from './session-upgrade.ts';

/** `POST /v1/hosts/:host/sessions`: opens one that viewers join afterwards. */
export function openEndpoint(relay: SessionRelay): Endpoint {
  return endpointWithBody(
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
  );
}

/** `GET /v1/hosts/:host/engine`: opens a tunnel to the host's engine, on the connection that asks for it. */
export function tunnelUpgrade(parts: HubParts, relay: SessionRelay): UpgradeEndpoint {
  return {
    method: 'GET',
    path: '/v1/hosts/:host/engine',
    open: async (request, socket, context) => {
      const caller = upgradeCaller(parts, request, context);
      const host = hostNamed(parts, context.params['host']);
      const session = newSession(host.id);
      await audit(parts, caller, { action: 'session.tunnel', target: host.name, detail: session.sessionId });
      const asked: SessionRequest & { readonly channel: string } = {
        ...{ ask: 'open', sessionId: session.sessionId, tokenHash: hashOf(session.token) },
        ...{ actor: caller.actor, channel: randomToken(), open: { kind: 'tunnel' } },
      };
      await relay.carry(host.id, asked, () => begin(socket, session));
    },
  };
}

function mayOpen(actor: FleetActor, open: SessionOpen): void {
  if (open.kind === 'tunnel') throw new HubError('INVALID', 'a tunnel is opened at …/engine');
  const needed = open.kind === 'logs' ? 'view' : 'exec';
  if (roleIncludes(actor.role, needed)) return;
  throw new HubError('FORBIDDEN', `this needs the role ${needed}; ${actor.name} has ${actor.role}`);
}

/** What is written down of a session: what it runs, never what it is given. */
function words(open: SessionOpen): string {
  if (open.kind === 'tunnel') return '';
  return open.kind === 'exec' ? `${open.container}: ${open.argv.join(' ')}` : open.container;
}
