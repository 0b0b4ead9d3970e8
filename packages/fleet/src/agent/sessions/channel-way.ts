import { type EncodedFrame, frameBytes, frameParts, type HostSubjects } from '@fairlead/protocol/fleet';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Trunk, TrunkChannel } from '../../trunk/trunk.ts';

/** What carries a channel's frames to the hub and back. */
export interface ChannelWay {
  /** Until it is disposed of, or lost. */
  open(name: string, channel: TrunkChannel): OpenWay;
}

/** A channel that is open. */
export interface OpenWay extends Disposable {
  /** A way that has ended loses it. */
  send(frame: EncodedFrame): void;
}

/** One connection to NATS, and where on it this host's sessions speak. */
export interface SessionLink {
  readonly nats: NatsConnection;
  readonly subjects: HostSubjects;
}

/** Three subjects of NATS for each channel. Nothing tells when that connection ends. */
export function overNats({ nats, subjects }: SessionLink): ChannelWay {
  return {
    open(name, { receive, lost }) {
      const out = subjects.sessionOutput(name);
      const take = (message: Uint8Array): void => {
        const frame = frameParts(message);
        if (frame === undefined) lost();
        else receive(frame);
      };
      const subscriptions = [subjects.sessionInput(name), subjects.sessionControl(name)].map((subject) =>
        nats.subscribe(subject, { callback: (_, { data }) => take(data) }),
      );
      return {
        send(frame) {
          if (!nats.isClosed()) nats.publish(out, frameBytes(frame));
        },
        [Symbol.dispose]() {
          for (const subscription of subscriptions) subscription.unsubscribe();
        },
      };
    },
  };
}

/** The trunk to the hub that has the viewer. */
export function overTrunk(trunk: Trunk): ChannelWay {
  return {
    open(name, channel) {
      const open = trunk.open(name, channel);
      return { send: (frame) => trunk.send(name, frame), [Symbol.dispose]: () => open[Symbol.dispose]() };
    },
  };
}
