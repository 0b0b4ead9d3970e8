import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Socket } from 'node:net';
import { Budget, EngineError } from '@fairlead/protocol';
import * as v from 'valibot';
import { budgetSignal } from '../../lib/budget-signal.ts';
import { LINK_HEADERS, linkProof, type LinkUpgrade, TRUNK_HEADERS } from '../../lib/link-proof.ts';
import { signWith } from '../../nats/fleet-key.ts';
import { postToHub } from '../identity/hub-http.ts';
import type { Identity } from '../identity/identity.ts';
import { CONNECT_MS } from './epoch.ts';

const KEEP_ALIVE_MS = 15_000;
const nonceSchema = v.object({ nonce: v.pipe(v.string(), v.minLength(1), v.maxLength(1_024)) });

/** Who dials, and where to. */
export type LinkIdentity = Pick<Identity, 'hub' | 'host' | 'key'>;

/**
 * Opens one byte pipe to NATS through the hub's own port: proves the host's key to the hub, and upgrades.
 *
 * @throws EngineError with the hub's refusal, 'unavailable' when it cannot be reached.
 */
export async function dialThroughHub(identity: LinkIdentity, signal: AbortSignal): Promise<Socket> {
  return (await dial(identity, 'fairlead-link', signal)).socket;
}

/** A byte stream to a hub for the frames of sessions, and what the hub says of itself and of it. */
export interface DialledTrunk {
  readonly socket: Socket;
  readonly hub: string;
  readonly id: string;
}

/** Opens a trunk to the hub, in the same way. @throws EngineError as `dialThroughHub`. */
export async function dialTrunk(identity: LinkIdentity, signal: AbortSignal): Promise<DialledTrunk> {
  const { socket, headers } = await dial(identity, 'fairlead-trunk', signal);
  return { socket, hub: String(headers[TRUNK_HEADERS.hub]), id: String(headers[TRUNK_HEADERS.trunk]) };
}

interface Dialled {
  readonly socket: Socket;
  readonly headers: IncomingHttpHeaders;
}

async function dial(identity: LinkIdentity, way: LinkUpgrade, signal: AbortSignal): Promise<Dialled> {
  const { hub, host, key } = identity;
  const limited = budgetSignal(Budget.of(CONNECT_MS, performance.now()), signal);
  const answer = await postToHub(hub, { path: '/v1/link/challenge', body: { host } }, limited);
  const challenge = v.safeParse(nonceSchema, answer);
  if (!challenge.success) throw new EngineError('internal', `the hub at ${hub.url} sent no challenge`);
  const { nonce } = challenge.output;
  const headers = {
    Connection: 'Upgrade',
    Upgrade: way,
    [LINK_HEADERS.host]: host,
    [LINK_HEADERS.nonce]: nonce,
    [LINK_HEADERS.signature]: signWith(key, linkProof(way, host, nonce)),
  };
  return await upgrade(identity, headers, limited);
}

function upgrade(
  { hub }: LinkIdentity,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Dialled> {
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>();
  const url = new URL('/v1/link', hub.url);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const sent = request(url, { headers, agent: false, ca: hub.ca });
  const abort = (): void => void sent.destroy(new Error('took too long', { cause: signal.reason }));
  signal.addEventListener('abort', abort, { once: true });
  sent.once('upgrade', (answer, socket, head) => {
    signal.removeEventListener('abort', abort);
    if (!(socket instanceof Socket)) throw new TypeError('an upgraded request gives its socket');
    socket.on('error', () => {});
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    if (head.length > 0) socket.unshift(head);
    resolve({ socket, headers: answer.headers });
  });
  sent.once('response', (answer) => {
    answer.destroy();
    reject(
      new EngineError('unavailable', `the hub at ${url.origin} opened no link: it answered ${answer.statusCode ?? 0}`),
    );
  });
  sent.once('error', (cause) => {
    reject(new EngineError('unavailable', `cannot reach the hub at ${url.origin}: ${cause.message}`, { cause }));
  });
  sent.end();
  return promise;
}
