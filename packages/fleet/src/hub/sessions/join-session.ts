import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { randomToken } from '../../lib/random-id.ts';
import type { Caller, HubParts } from '../api/endpoint.ts';
import type { UpgradeContext } from '../api/hub-server.ts';
import { audit } from '../api/operations.ts';
import { hashOf, hostOf } from './new-session.ts';
import type { FrameCarrier, SessionRelay } from './session-relay.ts';
import type { SessionTicket } from './session-tickets.ts';
import { begin, upgradeCaller } from './session-upgrade.ts';

/** Joins a session on a connection that was asked for with its token. @throws HubError before it has answered. */
export async function joinByToken(
  parts: HubParts,
  relay: SessionRelay,
  asked: { readonly request: IncomingMessage; readonly socket: Duplex; readonly context: UpgradeContext },
): Promise<void> {
  const { request, socket, context } = asked;
  const { session: sessionId = '' } = context.params;
  const { actor, from } = upgradeCaller(parts, request, context);
  const token = String(request.headers['fairlead-session-token'] ?? '');
  const write = new URL(request.url ?? '', 'http://hub').searchParams.get('write') === '1';
  const ticket = { actor, from, sessionId, tokenHash: hashOf(token), write };
  await joinSession(parts, { relay, ticket }, () => begin(socket, { sessionId, token }));
}

/** Joins and carries. Whoever looks at a program is written down; a tunnel was when it was opened. */
export async function joinSession(
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
