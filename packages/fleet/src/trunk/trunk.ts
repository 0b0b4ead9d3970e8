import type { Duplex } from 'node:stream';
import { ChannelPulse, FrameWriter } from '@fairlead/client/fleet';
import { EngineError } from '@fairlead/protocol';
import {
  CHANNEL_CHARACTERS,
  encodeFrame,
  type EncodedFrame,
  type ReceivedFrame,
  SessionFrameReader,
} from '@fairlead/protocol/fleet';
import { oneOf } from '../lib/one-of.ts';

/** A peer that is gone without a word is noticed within these: as soon as on the link. */
const PULSE = { pingMs: 4_000, silentMs: 12_000 } as const;
/** More than this does not wait for the other side, as far as those who write can wait. */
const FULL_BYTES: number = 8 * 1024 * 1024;
/** The trunk's own signs of life are no channel's. */
const NO_CHANNEL = '-'.repeat(CHANNEL_CHARACTERS);

/** One viewer's connection, as far as it is on a trunk. */
export interface TrunkChannel {
  /** A frame came; when it carries bytes, perhaps a part of one. */
  readonly receive: (frame: EncodedFrame) => void;
  /** The trunk has ended under it. */
  readonly lost: () => void;
}

export interface TrunkOptions {
  readonly id: string;
  /** Takes frames of channels that are not open. */
  readonly stray?: (frame: ReceivedFrame) => void;
  /** Of tests that cannot wait. */
  readonly pulse?: { readonly pingMs: number; readonly silentMs: number };
}

/**
 * A byte stream straight between an agent and a hub that carries the frames of sessions, those of many channels on one connection. A
 * channel is on it from its first frame to its last, or not at all. What is on its way is bounded by each channel's credit.
 *
 * Disposing ends it, as a cut does.
 */
export class Trunk implements Disposable {
  /** The hub's name for it. */
  readonly id: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly #socket: Duplex;
  readonly #writer: FrameWriter;
  readonly #channels = new Map<string, TrunkChannel>();
  readonly #pulse: ChannelPulse;
  #room: Promise<void> | undefined;

  constructor(socket: Duplex, { id, stray = () => {}, pulse = PULSE }: TrunkOptions) {
    this.id = id;
    this.#socket = socket;
    this.#writer = new FrameWriter(socket);
    const ping = (): void => this.#writer.write(encodeFrame({ kind: 'ping' }), NO_CHANNEL);
    this.#pulse = new ChannelPulse({ ping, silent: () => void socket.destroy() }, pulse);
    this.ended = this.#carry(stray);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  get isIdle(): boolean {
    return this.#channels.size === 0;
  }

  /** Gives `channel` the frames of that name until it is disposed of, or lost. Only while the trunk is open. */
  open(name: string, channel: TrunkChannel): Disposable {
    this.#channels.set(name, channel);
    return { [Symbol.dispose]: () => void this.#channels.delete(name) };
  }

  /** What a trunk that has ended is given is lost; its channels are told so. */
  send(name: string, frame: EncodedFrame): void {
    this.#writer.write(frame, name);
  }

  /** Resolves when there is room again; undefined when there is. For whoever can wait: so much waits for the other side. */
  get room(): Promise<void> | undefined {
    if (this.#socket.writableLength < FULL_BYTES || !this.isOpen) return undefined;
    this.#room ??= oneOf(this.#socket, ['drain', 'close']).finally(() => (this.#room = undefined));
    return this.#room;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #carry(stray: (frame: ReceivedFrame) => void): Promise<void> {
    const frames = new SessionFrameReader(CHANNEL_CHARACTERS);
    try {
      for await (const bytes of this.#socket) {
        if (!(bytes instanceof Uint8Array)) throw new EngineError('internal', 'a socket gives bytes');
        this.#pulse.heard();
        for (const frame of frames.push(bytes)) (this.#channels.get(frame.channel)?.receive ?? stray)(frame);
      }
    } catch (error) {
      // Cut, or not frames: whoever was on it comes back another way.
      if (!(error instanceof Error)) throw error;
    } finally {
      this.#pulse[Symbol.dispose]();
      this.#socket.destroy();
      const channels = [...this.#channels.values()];
      this.#channels.clear();
      for (const channel of channels) channel.lost();
    }
  }
}
