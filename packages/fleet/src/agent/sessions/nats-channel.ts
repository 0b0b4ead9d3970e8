import { ChannelPulse, type SessionChannel } from '@fairlead/client/fleet';
import { isEngineError } from '@fairlead/protocol';
import { decodeSessionFrame, encodeSessionFrame, type HostSubjects, type SessionFrame } from '@fairlead/protocol/fleet';
import type { NatsConnection, Subscription } from '@nats-io/nats-core';

/** Who listens to a channel. */
export interface ChannelEnds {
  /** A frame came. @throws EngineError when it is out of step: then the channel is given up. */
  readonly receive: (frame: SessionFrame) => void;
  /** The viewer is gone, or makes no sense. */
  readonly lost: () => void;
  /** Nothing comes any more, for whatever reason. */
  readonly over?: () => void;
}

/** Where sessions speak: one connection for all of them. */
export interface SessionLink {
  readonly nats: NatsConnection;
  readonly subjects: HostSubjects;
}

/** Opens a viewer's channel for whoever is at its ends. */
export type OpenChannel = (ends: ChannelEnds) => NatsChannel;

/** One viewer's connection as the agent sees it: three subjects of NATS. */
export class NatsChannel implements SessionChannel, Disposable {
  readonly #nats: NatsConnection;
  readonly #out: string;
  readonly #subscriptions: readonly Subscription[];
  readonly #pulse: ChannelPulse;
  readonly #ends: ChannelEnds;
  #isOver = false;

  constructor(link: SessionLink, channel: string, ends: ChannelEnds) {
    this.#nats = link.nats;
    this.#ends = ends;
    this.#out = link.subjects.sessionOutput(channel);
    this.#subscriptions = [link.subjects.sessionInput(channel), link.subjects.sessionControl(channel)].map((subject) =>
      link.nats.subscribe(subject, { callback: (_, { data }) => this.#receive(data) }),
    );
    this.#pulse = new ChannelPulse({ ping: () => this.send({ kind: 'ping' }), silent: () => this.lose() });
  }

  send(frame: SessionFrame): void {
    if (!this.#isOver && !this.#nats.isClosed()) this.#nats.publish(this.#out, encodeSessionFrame(frame));
  }

  /** Gives the viewer up, and says so. */
  lose(): void {
    if (this.#isOver) return;
    this[Symbol.dispose]();
    this.#ends.lost();
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pulse[Symbol.dispose]();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#ends.over?.();
  }

  #receive(data: Uint8Array): void {
    if (this.#isOver) return;
    this.#pulse.heard();
    try {
      this.#ends.receive(decodeSessionFrame(data));
    } catch (error) {
      if (!isEngineError(error)) throw error;
      this.lose();
    }
  }
}
