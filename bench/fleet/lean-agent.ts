import type { Socket } from 'node:net';
import { signWith } from '@fairlead/fleet/testing';
import {
  type AgentEvent,
  type ClaimReply,
  type CommandMessage,
  type HelloAnswer,
  type HostId,
  type HostSubjects,
  hostSubjects,
  type InventoryDelta,
  LINK_VERSION,
  type StoredEvents,
} from '@fairlead/protocol/fleet';
import { NatsWire, type WireMessage } from './nats-wire.ts';

/** A host, its key, and how it reaches its nats-server: at an address, or over a byte stream. */
export interface LeanAgentPlace {
  readonly host: HostId;
  readonly key: { readonly publicKey: string; readonly seed: Uint8Array };
  readonly dial: { readonly host: string; readonly port: number } | (() => Promise<Socket>);
  /** Told when the hub has answered its hello, and when the connection is gone. */
  readonly linked: (isLinked: boolean) => void;
}

/** As the real agent's: between two attempts to connect, and until a question is asked again. */
const CONNECT_AGAIN_MS = 250;
const ASK_AGAIN_MS = 4_000;
const HELLO_AGAIN_MS = 200;
const ENGINE = { name: 'fairlead', version: '0.1.0', apiVersion: '1.47', state: 'ok' } as const;

/** What a host has running: the hub keeps it, so it counts. */
const CONTAINERS: InventoryDelta = {
  full: true,
  changed: Array.from({ length: 20 }, (_, at) => ({
    id: String(at).padStart(64, '0'),
    name: `web-${at}`,
    image: 'registry.example.org/shop/web:1.2.3',
    state: 'running',
    status: 'Up 2 days',
    labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': `web-${at}` },
  })),
  removed: [],
};

/** What the real agent tells of a no-op. */
const NOOP_EVENTS: readonly AgentEvent[] = [
  { seq: 1, atMs: 0, kind: 'accepted', graceMs: null, boundMs: 0, phases: [] },
  { seq: 2, atMs: 1, kind: 'started' },
  { seq: 3, atMs: 2, kind: 'phase', phase: 'work' },
  { seq: 4, atMs: 2, kind: 'done', state: 'SUCCEEDED', outcome: { changed: false, tookMs: 1 } },
];

/** An operation whose end the hub has not acknowledged. */
interface Held {
  isStarted: boolean;
  askedMs: number;
}

/**
 * An agent without an engine and a journal, in a few KB and at a tenth of the cost of a whole NATS client, so that a thousand of them
 * leave the machine to the hub. What it says, and when, is what the real agent says of a no-op: hello and its containers on every
 * connection, heartbeats, a claim before anything, then accepted, started, the phase and the end in one message; and all of it again until it is answered.
 */
export class LeanAgent {
  readonly #place: LeanAgentPlace;
  readonly #subjects: HostSubjects;
  readonly #held = new Map<string, Held>();
  #wire: NatsWire | undefined;
  #greeting: NodeJS.Timeout | undefined;

  constructor(place: LeanAgentPlace) {
    this.#place = place;
    this.#subjects = hostSubjects(place.host);
    this.#connect();
  }

  beat(): void {
    this.#wire?.publish(this.#subjects.heartbeat, { engine: ENGINE, runningOperations: this.#held.size, sessions: 0 });
  }

  /** Asks again what was not answered in time. To be called every second. */
  askAgain(): void {
    const nowMs = performance.now();
    for (const [id, held] of this.#held) if (nowMs - held.askedMs > ASK_AGAIN_MS) this.#ask(id, held);
  }

  #connect(): void {
    const { dial } = this.#place;
    if (typeof dial !== 'function') return this.#speak(dial);
    dial().then(
      (socket) => this.#speak(socket),
      () => this.#connectLater(),
    );
  }

  #connectLater(): void {
    setTimeout(() => this.#connect(), CONNECT_AGAIN_MS * (1 + Math.random()));
  }

  #speak(to: Socket | { readonly host: string; readonly port: number }): void {
    const { key, host, linked } = this.#place;
    const { inboxPrefix, rpc } = this.#subjects;
    const wire = new NatsWire(to, {
      name: host,
      publicKey: key.publicKey,
      sign: (nonce) => signWith(key, nonce),
      subjects: [rpc('command').replace(/command$/, '>'), `${inboxPrefix}.>`],
      heard: (message) => this.#heard(message),
      up: () => {
        this.#wire = wire;
        this.#hello(wire);
      },
      down: () => {
        this.#wire = undefined;
        linked(false);
        this.#connectLater();
      },
    });
  }

  /** Until it is answered: the server is there before the hub listens. */
  #hello(wire: NatsWire): void {
    const openOperations = [...this.#held.keys()];
    const hello = { linkVersion: LINK_VERSION, agentVersion: '0.1.0', engine: ENGINE, openOperations };
    wire.publish(this.#subjects.hello, hello, `${this.#subjects.inboxPrefix}.hello.1`);
    this.#greeting = setTimeout(() => {
      if (this.#wire === wire) this.#hello(wire);
    }, HELLO_AGAIN_MS);
  }

  /** `f.HOST.rpc.command`, or the inbox of a question: `_INBOX_HOST.claim.OPERATION`. */
  #heard({ subject, payload }: WireMessage): void {
    const [, kind = '', id = ''] = subject.split('.').slice(-3);
    const answer: unknown = JSON.parse(payload);
    if (id === 'command') this.#take((answer as CommandMessage).operationId);
    else if (id === 'stored') this.#stored(answer as readonly StoredEvents[]);
    else if (kind === 'claim') this.#claimed(id, answer as ClaimReply);
    else if (kind === 'hello') this.#welcomed(answer as HelloAnswer);
  }

  #take(id: string): void {
    if (this.#held.has(id)) return;
    const held = { isStarted: false, askedMs: 0 };
    this.#held.set(id, held);
    this.#ask(id, held);
  }

  #claimed(id: string, answer: ClaimReply): void {
    if (answer.alsoStored !== undefined) this.#stored(answer.alsoStored);
    const held = this.#held.get(id);
    if (held === undefined || held.isStarted) return;
    if (!answer.granted) {
      this.#held.delete(id);
      return;
    }
    held.isStarted = true;
    this.#ask(id, held);
  }

  #stored(all: readonly StoredEvents[]): void {
    for (const { operationId, stored } of all) if (stored >= NOOP_EVENTS.length) this.#held.delete(operationId);
  }

  #welcomed({ reconcile }: HelloAnswer): void {
    // A hello that was said twice is answered twice.
    if (this.#greeting === undefined) return;
    clearTimeout(this.#greeting);
    this.#greeting = undefined;
    this.#place.linked(true);
    this.#wire?.publish(this.#subjects.inventory, CONTAINERS);
    for (const [id, held] of this.#held) this.#ask(id, held);
    const failure = { code: 'LOST', message: 'This host never received it, so it was never started.' } as const;
    for (const { operationId, storedSeq } of reconcile) {
      const end = { seq: storedSeq + 1, atMs: 0, kind: 'done', state: 'FAILED', outcome: { failure } } as const;
      if (!this.#held.has(operationId)) this.#wire?.publish(this.#subjects.operationEvent(operationId), end);
    }
  }

  #ask(id: string, held: Held): void {
    held.askedMs = performance.now();
    const { claim, operationEvent, inboxPrefix } = this.#subjects;
    if (held.isStarted) this.#wire?.publish(operationEvent(id), NOOP_EVENTS);
    else this.#wire?.publish(claim, { operationId: id }, `${inboxPrefix}.claim.${id}`);
  }
}
