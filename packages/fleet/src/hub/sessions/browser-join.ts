import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { roleIncludes } from '@fairlead/protocol/fleet';
import { acceptWebSocket, webSocketHandshake } from '@fairlead/protocol/web-socket';
import * as v from 'valibot';
import { TOO_MANY_FAILURES } from '../api/access.ts';
import { sourceOf } from '../api/authenticate.ts';
import { type Endpoint, endpointWithBody, type HubParts } from '../api/endpoint.ts';
import { asHubError, HubError, STATUS_BY_CODE } from '../operation/hub-error.ts';
import { joinSession } from './join-session.ts';
import { hashOf, hostOf } from './new-session.ts';
import type { SessionRelay } from './session-relay.ts';
import { type SessionTicket, type SessionTickets, TICKET_MS } from './session-tickets.ts';
import { SESSION_UPGRADE } from './session-upgrade.ts';
import { WebSocketCarrier } from './web-socket-carrier.ts';

/** What sessions are served with. */
export interface SessionParts {
  readonly relay: SessionRelay;
  readonly tickets: SessionTickets;
}

/** `POST /v1/sessions/:session/tickets`: what a browser joins it with. */
export function ticketEndpoint(tickets: SessionTickets): Endpoint {
  return endpointWithBody(
    { method: 'POST', path: '/v1/sessions/:session/tickets', role: 'view', body: ticketSchema },
    async (_parts, { actor, params, body }) => {
      const { session: sessionId = '' } = params;
      const { token, write = false } = body;
      hostOf(sessionId);
      if (write && !roleIncludes(actor.role, 'exec')) {
        throw new HubError('FORBIDDEN', `to type takes the role exec; ${actor.name} has ${actor.role}`);
      }
      const ticket = tickets.issue({ actor, sessionId, tokenHash: hashOf(token), write });
      return { status: 201, body: { ticket, expiresInMs: TICKET_MS } };
    },
  );
}

const ticketSchema = v.object({ token: v.pipe(v.string(), v.maxLength(256)), write: v.optional(v.boolean()) });

/** Whether a browser asks: nobody else speaks WebSocket here. */
export function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** The status of a refusal is the close code of a WebSocket less this: a browser is shown no other. */
const CLOSE_REFUSED = 4000;

/** A browser's join. Once the ticket was taken, a refusal is told by the WebSocket's close: scripts see no HTTP answer to its handshake. */
export async function joinByTicket(
  parts: HubParts,
  { relay, tickets }: SessionParts,
  asked: { readonly request: IncomingMessage; readonly socket: Duplex; readonly sessionId: string },
): Promise<void> {
  const { request, socket, sessionId } = asked;
  refuseForeignPage(request);
  const accepted = acceptWebSocket(request.headers);
  const ticket = redeemed(parts, tickets, request);
  if (ticket.sessionId !== sessionId) throw new HubError('UNAUTHORIZED', 'the ticket is for another session');
  socket.write(webSocketHandshake(accepted, SESSION_UPGRADE));
  const carrier = new WebSocketCarrier(socket);
  try {
    await joinSession(parts, { relay, ticket: { ...ticket, from: sourceOf(request) } }, () => carrier);
  } catch (error) {
    const { code, message } = asHubError(error);
    if (code === 'INTERNAL') parts.log.failure('hub.session.failed', error);
    carrier.end(CLOSE_REFUSED + STATUS_BY_CODE[code], `${code}: ${message}`);
  }
}

/** Any page in a browser may open a WebSocket to any address; the browser says which page it was. */
function refuseForeignPage({ headers: { origin, host } }: IncomingMessage): void {
  if (origin === undefined || URL.parse(origin)?.host === host) return;
  throw new HubError('FORBIDDEN', `a page of ${origin} may not join sessions of this hub`);
}

/** The ticket among the WebSocket's subprotocols: the one header that scripts can set. */
function redeemed({ accounts, failures }: HubParts, tickets: SessionTickets, request: IncomingMessage): SessionTicket {
  const from = sourceOf(request);
  if (failures.isRefused(from)) throw new HubError('TOO_MANY', TOO_MANY_FAILURES);
  const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  if (!protocols.includes(SESSION_UPGRADE))
    throw new HubError('INVALID', `the WebSocket speaks the protocol ${SESSION_UPGRADE}`);
  const words = protocols.find((protocol) => protocol.startsWith(TICKET_PREFIX))?.slice(TICKET_PREFIX.length);
  if (words === undefined) throw new HubError('UNAUTHORIZED', `the WebSocket needs a ticket: ${TICKET_PREFIX}…`);
  const ticket = tickets.redeem(words);
  if (ticket !== undefined && accounts.knows(ticket.actor)) return ticket;
  failures.failed(from);
  throw new HubError('UNAUTHORIZED', 'the ticket was used, is too old, or is none');
}

const TICKET_PREFIX = 'ticket.';
