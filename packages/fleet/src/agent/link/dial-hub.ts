import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Socket } from 'node:net';
import { Budget, EngineError } from '@fairlead/protocol';
import * as v from 'valibot';
import { budgetSignal } from '../../lib/budget-signal.ts';
import { LINK_HEADERS, LINK_UPGRADE, linkProof } from '../../lib/link-proof.ts';
import { signWith } from '../../nats/fleet-key.ts';
import { postToHub } from '../identity/hub-http.ts';
import type { Identity } from '../identity/identity.ts';
import { CONNECT_MS } from './epoch.ts';

const KEEP_ALIVE_MS = 15_000;
const nonceSchema = v.object({ nonce: v.pipe(v.string(), v.minLength(1), v.maxLength(1_024)) });

/**
 * Opens one byte pipe to NATS through the hub's own port: proves the host's key to the hub, and upgrades.
 *
 * @throws EngineError with the hub's refusal, 'unavailable' when it cannot be reached.
 */
export async function dialThroughHub(identity: Identity, signal: AbortSignal): Promise<Socket> {
  const { hub, host, key } = identity;
  const limited = budgetSignal(Budget.of(CONNECT_MS, performance.now()), signal);
  const answer = await postToHub(hub, { path: '/v1/link/challenge', body: { host } }, limited);
  const challenge = v.safeParse(nonceSchema, answer);
  if (!challenge.success) throw new EngineError('internal', `the hub at ${hub.url} sent no challenge`);
  const { nonce } = challenge.output;
  const headers = {
    Connection: 'Upgrade',
    Upgrade: LINK_UPGRADE,
    [LINK_HEADERS.host]: host,
    [LINK_HEADERS.nonce]: nonce,
    [LINK_HEADERS.signature]: signWith(key, linkProof(host, nonce)),
  };
  return await upgrade(identity, headers, limited);
}

function upgrade({ hub }: Identity, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const url = new URL('/v1/link', hub.url);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const sent = request(url, { headers, agent: false, ca: hub.ca });
  const abort = (): void => void sent.destroy(new Error('took too long', { cause: signal.reason }));
  signal.addEventListener('abort', abort, { once: true });
  sent.once('upgrade', (_, socket, head) => {
    signal.removeEventListener('abort', abort);
    if (!(socket instanceof Socket)) throw new TypeError('an upgraded request gives its socket');
    socket.on('error', () => {});
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
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
