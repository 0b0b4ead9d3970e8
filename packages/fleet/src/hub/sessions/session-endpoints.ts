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
import { acceptWebSocket, webSocketHandshake } from '@fairlead/protocol/web-socket';
import * as v from 'valibot';
import { randomToken } from '../../lib/random-id.ts';
import { TOO_MANY_FAILURES } from '../api/access.ts';
import { authenticate, sourceOf } from '../api/authenticate.ts';
import { type Caller, type Endpoint, endpointWithBody, type HubParts } from '../api/endpoint.ts';
import type { UpgradeContext, UpgradeEndpoint } from '../api/hub-server.ts';
import { audit, hostNamed } from '../api/operations.ts';
import { switchProtocols } from '../api/switch-protocols.ts';
import { asHubError, HubError, STATUS_BY_CODE } from '../operation/hub-error.ts';
import type { FrameCarrier, SessionRelay } from './session-relay.ts';
import { type SessionTicket, type SessionTickets, TICKET_MS } from './session-tickets.ts';
import { StreamCarrier } from './stream-carrier.ts';
import { WebSocketCarrier } from './web-socket-carrier.ts';

/** The protocol of the upgrade: frames of a session, each with its length in front. */
const UPGRADE = 'fairlead-session';

/** A session's id and what joins it. The id names its host, so that no hub has to remember it. */
interface NewSession {
  readonly sessionId: string;
  readonly token: string;
}

/** Opening a session that viewers join afterwards, and tickets for those that are browsers. */
export function sessionEndpoints({ relay, tickets }: SessionParts): readonly Endpoint[] {
  return [
    ticketEndpoint(tickets),
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

/** `POST /v1/sessions/:session/tickets`: what a browser joins it with. */
function ticketEndpoint(tickets: SessionTickets): Endpoint {
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

/** The connections that carry sessions. */
export function sessionUpgrades(parts: HubParts, { relay, tickets }: SessionParts): readonly UpgradeEndpoint[] {
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
        const { session: sessionId = '' } = context.params;
        if (isWebSocket(request)) return await joinByTicket(parts, { relay, tickets }, { request, socket, sessionId });
        const { actor, from } = allowed(parts, request, context);
        const token = String(request.headers['fairlead-session-token'] ?? '');
        const write = new URL(request.url ?? '', 'http://hub').searchParams.get('write') === '1';
        const ticket = { actor, from, sessionId, tokenHash: hashOf(token), write };
        await join(parts, { relay, ticket }, () => begin(socket, { sessionId, token }));
      },
    },
  ];
}

/** What sessions are served with. */
export interface SessionParts {
  readonly relay: SessionRelay;
  readonly tickets: SessionTickets;
}

/** The status of a refusal is the close code of a WebSocket less this: a browser is shown no other. */
const CLOSE_REFUSED = 4000;

/** A browser's join. Once the ticket was taken, a refusal is told by the WebSocket's close: scripts see no HTTP answer to its handshake. */
async function joinByTicket(
  parts: HubParts,
  { relay, tickets }: SessionParts,
  asked: { readonly request: IncomingMessage; readonly socket: Duplex; readonly sessionId: string },
): Promise<void> {
  const { request, socket, sessionId } = asked;
  refuseForeignPage(request);
  const accepted = acceptWebSocket(request.headers);
  const ticket = redeemed(parts, tickets, request);
  if (ticket.sessionId !== sessionId) throw new HubError('UNAUTHORIZED', 'the ticket is for another session');
  socket.write(webSocketHandshake(accepted, UPGRADE));
  const carrier = new WebSocketCarrier(socket);
  try {
    await join(parts, { relay, ticket: { ...ticket, from: sourceOf(request) } }, () => carrier);
  } catch (error) {
    const { code, message } = asHubError(error);
    if (code === 'INTERNAL') parts.log.failure('hub.session.failed', error);
    carrier.end(CLOSE_REFUSED + STATUS_BY_CODE[code], `${code}: ${message}`);
  }
}

/** Joins and carries. Whoever looks at a program is written down; a tunnel was when it was opened. */
async function join(
  parts: HubParts,
  { relay, ticket }: { readonly relay: SessionRelay; readonly ticket: SessionTicket & Pick<Caller, 'from'> },
  begins: () => FrameCarrier,
): Promise<void> {
  const { sessionId, tokenHash, actor, write } = ticket;
  const host = hostOf(sessionId);
  const asked = { ...({ ask: 'join', sessionId, tokenHash, actor, write } as const), channel: randomToken() };
  await relay.carry(host, asked, async ({ kind }) => {
    const target = parts.hosts.get(host)?.name ?? host;
    const detail = `${sessionId}${write ? ' to type' : ''}`;
    if (kind !== 'tunnel') await audit(parts, ticket, { action: 'session.join', target, detail });
    return begins();
  });
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
  if (!protocols.includes(UPGRADE)) throw new HubError('INVALID', `the WebSocket speaks the protocol ${UPGRADE}`);
  const words = protocols.find((protocol) => protocol.startsWith(TICKET_PREFIX))?.slice(TICKET_PREFIX.length);
  if (words === undefined) throw new HubError('UNAUTHORIZED', `the WebSocket needs a ticket: ${TICKET_PREFIX}…`);
  const ticket = tickets.redeem(words);
  if (ticket !== undefined && accounts.knows(ticket.actor)) return ticket;
  failures.failed(from);
  throw new HubError('UNAUTHORIZED', 'the ticket was used, is too old, or is none');
}

const TICKET_PREFIX = 'ticket.';

function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
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
  switchProtocols(socket, UPGRADE, { 'Fairlead-Session': sessionId, 'Fairlead-Session-Token': token });
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
