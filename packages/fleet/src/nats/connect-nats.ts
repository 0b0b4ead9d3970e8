import type { NatsConnection } from '@nats-io/nats-core';
import { EngineError } from '@fairlead/protocol';
import { dialNats } from './dial-nats.ts';
import { type FleetKey, keyAuthenticator } from './fleet-key.ts';

/** Whom to connect to, and as whom. */
export interface NatsLink {
  readonly servers: readonly string[];
  readonly key: FleetKey;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** An agent may only listen to its own inboxes. */
  readonly inboxPrefix?: string | undefined;
}

/** Between two attempts to come back: the first after a quarter second, spread so that a fleet does not come at once. */
const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 250;
/** A peer that is gone without a word is noticed after at most three of these. */
const PING_MS = 10_000;
const PINGS_MISSED_MAX = 2;
/** Of one attempt to connect; the caller decides how long there are attempts. */
const ATTEMPT_MS = 10_000;

/**
 * Connects, and keeps connecting again until it is closed: an authorisation that is refused may be granted in a minute.
 *
 * @throws EngineError 'unavailable' when the first attempt fails.
 */
export async function connectNats(link: NatsLink): Promise<NatsConnection> {
  try {
    return await dialNats({
      servers: [...link.servers],
      authenticator: keyAuthenticator(link.key),
      name: link.name,
      ...(link.inboxPrefix === undefined ? {} : { inboxPrefix: link.inboxPrefix }),
      timeout: ATTEMPT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      reconnectJitter: RECONNECT_JITTER_MS,
      pingInterval: PING_MS,
      maxPingOut: PINGS_MISSED_MAX,
      ignoreAuthErrorAbort: true,
      // A server that refuses the key tells of others, and of itself again: the first attempt would never end.
      ignoreClusterUpdates: true,
      // Every message would carry a stack trace of its caller.
      noAsyncTraces: true,
    });
  } catch (cause) {
    throw new EngineError('unavailable', `cannot connect to NATS at ${link.servers.join(', ')}`, { cause });
  }
}
