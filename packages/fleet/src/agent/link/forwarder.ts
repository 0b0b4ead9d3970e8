import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Budget, EngineError } from '@fairlead/protocol';
import * as v from 'valibot';
import { budgetSignal } from '../../lib/budget-signal.ts';
import { LINK_HEADERS, LINK_UPGRADE, linkProof } from '../../lib/link-proof.ts';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import { signWith } from '../../nats/fleet-key.ts';
import { postToHub } from '../identity/hub-http.ts';
import type { Identity } from '../identity/identity.ts';
import { CONNECT_MS } from './epoch.ts';

/** A way to NATS through the hub's own port, as an address on this machine's loopback. */
export interface Forwarder extends AsyncDisposable {
  readonly url: string;
}

/** One connection of ours and one that is just being replaced. */
const CONNECTIONS_MAX = 4;
const KEEP_ALIVE_MS = 15_000;
const nonceSchema = v.object({ nonce: v.pipe(v.string(), v.minLength(1), v.maxLength(1_024)) });

/**
 * Listens on loopback and passes every connection on through the hub. Whoever connects there still has to prove the host's key to
 * NATS, so the port gives nothing to others on this machine.
 */
export async function openForwarder(identity: Identity, log: FleetLog): Promise<Forwarder> {
  const leaving = new AbortController();
  const sockets = new Set<Duplex>();
  const server = createServer((local) => {
    sockets.add(local);
    local.once('close', () => sockets.delete(local));
    forward(identity, { local, sockets }, leaving.signal).catch((error) => {
      local.destroy();
      if (!leaving.signal.aborted) log.warning('agent.link.hub-refused', { why: wordsOf(error) });
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `nats://127.0.0.1:${portOf(server)}`,
    async [Symbol.asyncDispose]() {
      leaving.abort(new Error('the agent leaves'));
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function forward(
  identity: Identity,
  { local, sockets }: { readonly local: Socket; readonly sockets: Set<Duplex> },
  signal: AbortSignal,
): Promise<void> {
  local.on('error', () => {});
  const far = await dialThroughHub(identity, signal);
  sockets.add(far);
  far.once('close', () => sockets.delete(far));
  if (local.destroyed) return void far.destroy();
  // Either side's end is the end of both: a link that is half open is of no use.
  await Promise.race([pipeline(local, far), pipeline(far, local)]).catch(() => {});
  local.destroy();
  far.destroy();
}

/**
 * Opens one byte pipe to NATS: proves the host's key to the hub, and upgrades.
 *
 * @throws EngineError with the hub's refusal, 'unavailable' when it cannot be reached.
 */
export async function dialThroughHub(identity: Identity, signal: AbortSignal): Promise<Duplex> {
  const { hub, host, key } = identity;
  const limited = budgetSignal(Budget.of(CONNECT_MS, performance.now()), signal);
  const answer = await postToHub(hub, { path: '/v1/link/challenge', body: { host } }, limited);
  const challenge = v.safeParse(nonceSchema, answer);
  if (!challenge.success) throw new EngineError('internal', `the hub at ${hub} sent no challenge`);
  const { nonce } = challenge.output;
  const headers = {
    Connection: 'Upgrade',
    Upgrade: LINK_UPGRADE,
    [LINK_HEADERS.host]: host,
    [LINK_HEADERS.nonce]: nonce,
    [LINK_HEADERS.signature]: signWith(key, linkProof(host, nonce)),
  };
  return await upgrade(new URL('/v1/link', hub), headers, limited);
}

function upgrade(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const sent = request(url, { headers, agent: false });
  const abort = (): void => void sent.destroy(new Error('took too long', { cause: signal.reason }));
  signal.addEventListener('abort', abort, { once: true });
  sent.once('upgrade', (_, socket, head) => {
    signal.removeEventListener('abort', abort);
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

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
