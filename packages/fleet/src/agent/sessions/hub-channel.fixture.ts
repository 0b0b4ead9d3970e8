import {
  decodeSessionFrame,
  encodeFrame,
  frameBytes,
  type HostSubjects,
  isInputFrame,
  type SessionFrame,
} from '@fairlead/protocol/fleet';
import type { NatsConnection } from '@nats-io/nats-core';

/** A viewer's connection from the hub's side, without the hub: what came, and a way to send. Disposing is a cut. */
export class HubChannel implements Disposable {
  readonly came: SessionFrame[] = [];
  readonly #nats: NatsConnection;
  readonly #subjects: HostSubjects;
  readonly #channel: string;
  readonly #stop: () => void;

  constructor(
    link: { readonly nats: NatsConnection; readonly subjects: HostSubjects },
    channel: string,
    receive: (frame: SessionFrame) => void = () => {},
  ) {
    this.#nats = link.nats;
    this.#subjects = link.subjects;
    this.#channel = channel;
    const subscription = link.nats.subscribe(link.subjects.sessionOutput(channel), {
      callback: (_, { data }) => {
        const frame = decodeSessionFrame(data.slice());
        this.came.push(frame);
        receive(frame);
      },
    });
    this.#stop = () => subscription.unsubscribe();
  }

  send(frame: SessionFrame): void {
    const encoded = encodeFrame(frame);
    const { sessionInput, sessionControl } = this.#subjects;
    this.#nats.publish((isInputFrame(encoded) ? sessionInput : sessionControl)(this.#channel), frameBytes(encoded));
  }

  /** Everything shown so far, as text. */
  text(): string {
    return Buffer.concat(this.came.flatMap((frame) => (frame.kind === 'bytes' ? [frame.bytes] : []))).toString();
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
