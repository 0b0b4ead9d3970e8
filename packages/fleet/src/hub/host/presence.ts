import {
  type EngineReport,
  type Heartbeat,
  HEARTBEATS_MISSED_MAX,
  type HelloRequest,
  heartbeatMs,
  type HostId,
} from '@fairlead/protocol/fleet';

/** What is known of a host's agent at the moment. */
export interface HostPresence {
  readonly online: boolean;
  /** On the clock that presence was made with. */
  readonly heardMs: number;
  readonly engine: EngineReport;
  readonly agentVersion: string | null;
  readonly sessions: number;
}

/** How presence tells time, how many agents there are, and whom it tells of comings and goings. */
export interface PresenceDeps {
  readonly nowMs: () => number;
  readonly agents: () => number;
  readonly changed: (host: HostId, online: boolean) => void;
}

/** A connection of the NATS server, out of `$SYS`: ids are per server. */
export type NatsClientId = string;

/**
 * Who is there: heartbeats, and the server's word on who has disconnected, which takes milliseconds.
 *
 * A host is online from its first word on, and offline when its last connection was cut or `HEARTBEATS_MISSED_MAX` heartbeats are missing.
 */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #byHost = new Map<HostId, HostPresence>();
  readonly #connections = new Map<HostId, Set<NatsClientId>>();
  #isAway = false;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  get(host: HostId): HostPresence | undefined {
    return this.#byHost.get(host);
  }

  /** How often an agent is to say that it lives. */
  get heartbeatMs(): number {
    return heartbeatMs(this.#deps.agents());
  }

  hello(host: HostId, { engine, agentVersion }: HelloRequest): void {
    this.#heard(host, { engine, agentVersion, sessions: 0 });
  }

  heartbeat(host: HostId, { engine, sessions }: Heartbeat): void {
    this.#heard(host, { engine, sessions, agentVersion: this.#byHost.get(host)?.agentVersion ?? null });
  }

  /** Any other word of a host. */
  heardOf(host: HostId): void {
    const known = this.#byHost.get(host);
    if (known !== undefined) this.#byHost.set(host, { ...known, heardMs: this.#deps.nowMs() });
  }

  connected(host: HostId, client: NatsClientId): void {
    const clients = this.#connections.get(host) ?? new Set();
    this.#connections.set(host, clients.add(client));
  }

  /** Offline, when it was the last one. */
  disconnected(host: HostId, client: NatsClientId): void {
    const clients = this.#connections.get(host);
    clients?.delete(client);
    if (clients !== undefined && clients.size > 0) return;
    this.#connections.delete(host);
    this.#leave(host);
  }

  /** Nothing is known of it any more. */
  forget(host: HostId): void {
    this.#connections.delete(host);
    this.#byHost.delete(host);
  }

  /** The hub itself is cut off: nobody can be heard, and nothing follows from it. */
  hubIsAway(): void {
    this.#isAway = true;
  }

  /** It is back: everybody has their time again to be heard. */
  hubIsBack(): void {
    this.#isAway = false;
    this.#connections.clear();
    for (const [host, presence] of this.#byHost) this.#byHost.set(host, { ...presence, heardMs: this.#deps.nowMs() });
  }

  /** Finds those that have fallen silent. To be called every second. */
  sweep(): void {
    if (this.#isAway) return;
    const silentMs = this.heartbeatMs * HEARTBEATS_MISSED_MAX;
    const nowMs = this.#deps.nowMs();
    for (const [host, { online, heardMs }] of this.#byHost) if (online && nowMs - heardMs > silentMs) this.#leave(host);
  }

  #heard(host: HostId, said: Pick<HostPresence, 'engine' | 'agentVersion' | 'sessions'>): void {
    const was = this.#byHost.get(host);
    this.#byHost.set(host, { ...said, online: true, heardMs: this.#deps.nowMs() });
    if (was?.online !== true) this.#deps.changed(host, true);
  }

  #leave(host: HostId): void {
    const known = this.#byHost.get(host);
    if (known?.online !== true) return;
    this.#byHost.set(host, { ...known, online: false, sessions: 0 });
    this.#deps.changed(host, false);
  }
}
