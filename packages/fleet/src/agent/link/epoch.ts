import type { Socket } from 'node:net';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { Budget, EngineError } from '@fairlead/protocol';
import {
  type EngineReport,
  type HelloAnswer,
  helloAnswerSchema,
  type HostSubjects,
  hostSubjects,
  LINK_VERSION,
} from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import type { FleetLog } from '../../lib/log.ts';
import { dialNats } from '../../nats/dial-nats.ts';
import { keyAuthenticator } from '../../nats/fleet-key.ts';
import type { Identity } from '../identity/identity.ts';

/** How NATS is reached. */
export type Reach =
  | { readonly servers: readonly string[] }
  /** A byte stream to it, through the hub; `name` is for the log. */
  | { readonly name: string; readonly dial: () => Promise<Socket> };

/** What an agent says of itself when it comes. */
export interface Presentation {
  readonly agentVersion: string;
  readonly engine: EngineReport;
  readonly openOperations: readonly string[];
}

/** An attempt to connect that takes longer has failed. */
export const CONNECT_MS = 10_000;
/** Of one question to the hub: it answers out of its records. Then it is asked again. */
export const ASK_MS = 4_000;
/** A peer that is gone without a word is noticed within three of these. */
const PING_MS = 4_000;
const PINGS_MISSED_MAX = 2;

/** One connection from its first word to its end. Nothing of it outlives it: the next one starts from the journal. */
export class Epoch implements AsyncDisposable {
  readonly subjects: HostSubjects;
  readonly connection: NatsConnection;
  readonly #ended = new AbortController();
  readonly #requests: AsyncIterable<Msg>;

  private constructor(connection: NatsConnection, subjects: HostSubjects) {
    this.connection = connection;
    this.subjects = subjects;
    // Whoever may ask and when is the server's permissions: only the hub publishes here.
    this.#requests = connection.subscribe(subjects.rpc('command').replace(/command$/, '>'));
    void connection.closed().then((error) => {
      const cause = error instanceof Error ? { cause: error } : {};
      this.#ended.abort(new EngineError('unavailable', 'the connection to NATS ended', cause));
    });
  }

  /** @throws EngineError 'unavailable' when there is no connection to be had. */
  static async open(identity: Identity, reach: Reach, log: FleetLog): Promise<Epoch> {
    const subjects = hostSubjects(identity.host);
    let connection: NatsConnection;
    try {
      connection = await dialNats({
        // Nothing is resolved or dialled by a name while there is a stream.
        ...('dial' in reach
          ? { servers: [reach.name], resolve: false, dial: reach.dial }
          : { servers: [...reach.servers] }),
        authenticator: keyAuthenticator(identity.key),
        inboxPrefix: subjects.inboxPrefix,
        name: `fairlead agent ${identity.host}`,
        timeout: Budget.of(CONNECT_MS, performance.now()).leftMs(performance.now()),
        // Coming back is ours: what an old connection had kept for sending would be sent on the new one, too late.
        reconnect: false,
        pingInterval: PING_MS,
        maxPingOut: PINGS_MISSED_MAX,
        // A server that refuses the key tells of others, and of itself again: attempts would never end.
        ignoreClusterUpdates: true,
        noAsyncTraces: true,
      });
    } catch (cause) {
      throw new EngineError(
        'unavailable',
        `cannot connect to NATS at ${'dial' in reach ? reach.name : reach.servers.join(', ')}`,
        { cause },
      );
    }
    const epoch = new Epoch(connection, subjects);
    void epoch.#logTrouble(log);
    return epoch;
  }

  /** Aborted when the connection has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** What the hub asks, in order. Ends with the connection. */
  requests(): AsyncIterable<Msg> {
    return this.#requests;
  }

  /** First words. @throws EngineError when the hub does not answer, or not as agreed. */
  async hello(presentation: Presentation): Promise<HelloAnswer> {
    const answer = await this.ask(this.subjects.hello, { linkVersion: LINK_VERSION, ...presentation });
    const hello = v.safeParse(helloAnswerSchema, answer);
    if (!hello.success)
      throw new EngineError('unavailable', 'the hub did not take this agent', { details: { answer } });
    return hello.output;
  }

  /** One question, one answer. @throws NATS's error when there is none within `ASK_MS`. */
  async ask(subject: string, question: unknown): Promise<unknown> {
    const answer = await this.connection.request(subject, JSON.stringify(question), { timeout: ASK_MS });
    return answer.json();
  }

  say(subject: string, words: unknown): void {
    if (!this.connection.isClosed()) this.connection.publish(subject, JSON.stringify(words));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }

  /** Permissions that are refused, slow readers, a server that leaves: what the connection does not end for. */
  async #logTrouble(log: FleetLog): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'error') log.failure('agent.link.trouble', status.error);
      else if (status.type === 'slowConsumer' || status.type === 'ldm')
        log.warning('agent.link.trouble', { type: status.type });
    }
  }
}
