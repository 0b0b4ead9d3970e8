import type { HostId } from './host-id.ts';

/** The work-queue stream of queued commands. Source: fleet.md; limits in its JetStream configuration. */
export const COMMAND_STREAM = 'CMD';

/** What the hub listens to: the same subjects for every host, `*` where the host id stands. */
export const HUB_SUBJECTS: Readonly<Record<HubSubject, string>> = {
  claims: 'f.*.claim',
  events: 'f.*.evt.>',
  heartbeats: 'f.*.hb',
  inventories: 'f.*.inv',
  sessionOutput: 'f.*.x.*.out',
  /** JetStream's advisory: a queued command was delivered as often as it may be. */
  maxDeliveries: `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${COMMAND_STREAM}.*`,
};

type HubSubject = 'claims' | 'events' | 'heartbeats' | 'inventories' | 'sessionOutput' | 'maxDeliveries';

/** Every subject of one host. Which side publishes is what `natsPermissions` allows and nothing else. */
export interface HostSubjects {
  /** Hub → JetStream → agent: a queued command. */
  readonly command: string;
  /** Agent → hub, request: may I start this? The hub alone decides about expiry and cancelling. */
  readonly claim: string;
  /** Agent → hub: one operation's events in order. The hub says when they are stored: at once to a request, else with `rpc.stored` or an answer to a claim. */
  readonly operationEvent: (operationId: string) => string;
  /** Agent → hub, request, first thing on every connection: who am I talking to, what do I know. */
  readonly hello: string;
  readonly heartbeat: string;
  readonly inventory: string;
  /** Hub → agent: a live command, a cancel, a session to open, a hint that commands are queued, which events are stored. */
  readonly rpc: (name: RpcName) => string;
  /** Agent → hub: the answer to one `rpc`, by a token of the hub's choice. An agent may not publish to the hub's inboxes. */
  readonly answer: (token: string) => string;
  readonly sessionInput: (sessionId: string) => string;
  /** Hub → agent, past a full window: resize, signal, credit, close. */
  readonly sessionControl: (sessionId: string) => string;
  readonly sessionOutput: (sessionId: string) => string;
  readonly inboxPrefix: string;
  /** The durable pull consumer of this host on `COMMAND_STREAM`. */
  readonly consumer: string;
}

/** What the hub may ask an agent, by the last token of its subject. */
export type RpcName = 'command' | 'cancel' | 'session' | 'recordings' | 'queued' | 'stored';

/** The subjects of one host. */
export function hostSubjects(host: HostId): HostSubjects {
  return {
    command: `f.${host}.cmd`,
    claim: `f.${host}.claim`,
    operationEvent: (operationId) => `f.${host}.evt.op.${operationId}`,
    hello: `f.${host}.evt.hello`,
    heartbeat: `f.${host}.hb`,
    inventory: `f.${host}.inv`,
    rpc: (name) => `f.${host}.rpc.${name}`,
    answer: (token) => `f.${host}.re.${token}`,
    sessionInput: (sessionId) => `f.${host}.x.${sessionId}.in`,
    sessionControl: (sessionId) => `f.${host}.x.${sessionId}.ctl`,
    sessionOutput: (sessionId) => `f.${host}.x.${sessionId}.out`,
    inboxPrefix: `_INBOX_${host}`,
    consumer: host,
  };
}

/** What one user of the NATS server may publish and subscribe. Everything else is denied. */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** An agent's permissions: its own host and nothing of any other. `allow_responses` stays off. Source: fleet.md. */
export function agentPermissions(host: HostId): NatsPermissions {
  const own = `f.${host}`;
  return {
    publish: [
      `$JS.API.CONSUMER.MSG.NEXT.${COMMAND_STREAM}.${host}`,
      `$JS.API.CONSUMER.INFO.${COMMAND_STREAM}.${host}`,
      `$JS.ACK.${COMMAND_STREAM}.${host}.>`,
      `${own}.evt.>`,
      `${own}.hb`,
      `${own}.inv`,
      `${own}.claim`,
      `${own}.re.*`,
      `${own}.x.*.out`,
    ],
    subscribe: [`${own}.rpc.>`, `${own}.x.*.in`, `${own}.x.*.ctl`, `_INBOX_${host}.>`],
  };
}
