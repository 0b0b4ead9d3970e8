import type { FleetLog } from '../lib/log.ts';
import type { HubTls } from './api/hub-server.ts';

/** How a hub is to run. */
export interface HubOptions {
  /** Its records, its keys, its nats-server's stores. One hub per directory. */
  readonly directory: string;
  /** Whoever may connect here is local root. Absent: no such socket. */
  readonly socket?: string | undefined;
  /** Where everybody else connects. Absent: nowhere. */
  readonly listen?: HubListenOptions | undefined;
  /** Listens for this machine's own agent as well: on a free port of loopback, unless `listen` is reached there without TLS. */
  readonly ownAgent?: boolean | undefined;
  /** A site's own cluster; absent: the hub starts a nats-server. */
  readonly nats?: SiteNats | undefined;
  /** Of the nats-server that the hub starts. */
  readonly natsProgram?: string | undefined;
  readonly log: FleetLog;
}

/** One TCP listener. */
export interface HubListenOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly tls?: HubTls | undefined;
  /** Tokens may cross a network unencrypted: something else protects it. */
  readonly allowPlaintext?: boolean | undefined;
}

/** A cluster that somebody else runs. The hub's key (`hub.nk` in its directory) must be let into it, with everything of its account. */
export interface SiteNats {
  readonly urls: readonly string[];
  /** Copies of the stream of queued commands: 1, 3 or 5. */
  readonly replicas: number;
}
