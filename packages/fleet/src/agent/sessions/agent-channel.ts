import { ChannelPulse, type SessionChannel } from '@fairlead/client/fleet';
import { isEngineError } from '@fairlead/protocol';
import { decodeFrame, encodeFrame, type EncodedFrame, type SessionFrame } from '@fairlead/protocol/fleet';
import type { ChannelWay, OpenWay } from './channel-way.ts';

/** Who listens to a channel. */
export interface ChannelEnds {
  /** A frame came. @throws EngineError when it is out of step: then the channel is given up. */
  readonly receive: (frame: SessionFrame) => void;
  /** The viewer is gone, or makes no sense. */
  readonly lost: () => void;
  /** Nothing comes any more, for whatever reason. */
  readonly over?: () => void;
}

/** Opens a viewer's channel for whoever is at its ends. */
export type OpenChannel = (ends: ChannelEnds) => AgentChannel;

/** One viewer's connection as the agent sees it. */
export class AgentChannel implements SessionChannel, Disposable {
  readonly #way: OpenWay;
  readonly #pulse: ChannelPulse;
  readonly #ends: ChannelEnds;
  #isOver = false;

  constructor(way: ChannelWay, name: string, ends: ChannelEnds) {
    this.#ends = ends;
    this.#way = way.open(name, { receive: (frame) => this.#receive(frame), lost: () => this.lose() });
    this.#pulse = new ChannelPulse({ ping: () => this.send({ kind: 'ping' }), silent: () => this.lose() });
  }

  send(frame: SessionFrame): void {
    if (!this.#isOver) this.#way.send(encodeFrame(frame));
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
    this.#way[Symbol.dispose]();
    this.#ends.over?.();
  }

  #receive(frame: EncodedFrame): void {
    if (this.#isOver) return;
    this.#pulse.heard();
    try {
      this.#ends.receive(decodeFrame(frame));
    } catch (error) {
      if (!isEngineError(error)) throw error;
      this.lose();
    }
  }
}
