import type { Endpoint, HubParts } from '../api/endpoint.ts';
import type { UpgradeEndpoint } from '../api/hub-server.ts';
import { isWebSocket, joinByTicket, type SessionParts, ticketEndpoint } from './browser-join.ts';
import { joinByToken } from './join-session.ts';
import { openEndpoint, tunnelUpgrade } from './open-session.ts';

/** Opening a session that viewers join afterwards, and tickets for those that are browsers. */
export function sessionEndpoints({ relay, tickets }: SessionParts): readonly Endpoint[] {
  return [ticketEndpoint(tickets), openEndpoint(relay)];
}

/** The connections that carry sessions. */
export function sessionUpgrades(parts: HubParts, { relay, tickets }: SessionParts): readonly UpgradeEndpoint[] {
  return [
    tunnelUpgrade(parts, relay),
    {
      method: 'GET',
      path: '/v1/sessions/:session',
      open: async (request, socket, context) => {
        const { session: sessionId = '' } = context.params;
        if (isWebSocket(request)) await joinByTicket(parts, { relay, tickets }, { request, socket, sessionId });
        else await joinByToken(parts, relay, { request, socket, context });
      },
    },
  ];
}
