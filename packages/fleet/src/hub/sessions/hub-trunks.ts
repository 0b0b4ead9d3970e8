import type { Duplex } from 'node:stream';
import type { EncodedFrame, HostId, ReceivedFrame } from '@fairlead/protocol/fleet';
import { TRUNK_HEADERS } from '../../lib/link-proof.ts';
import { randomToken } from '../../lib/random-id.ts';
import { Trunk } from '../../trunk/trunk.ts';
import { switchProtocols } from '../api/switch-protocols.ts';

/** The trunks of agents to this hub, one of each: an agent that dials again has given up the one before. */
export class HubTrunks {
  /** Which hub this is, from its start to its end: an agent tells by it whether its trunk ends where the viewer is. */
  readonly hub: string = randomToken();
  readonly #trunks = new Map<HostId, Trunk>();
  /** Channels that an agent has been asked to open: its first frames come before its answer. */
  readonly #expected = new Map<string, (frame: EncodedFrame) => void>();

  /** Takes the trunk of a host that has proved to be one. */
  accept(host: HostId, socket: Duplex): void {
    const id = randomToken();
    switchProtocols(socket, 'fairlead-trunk', { [TRUNK_HEADERS.hub]: this.hub, [TRUNK_HEADERS.trunk]: id });
    this.#trunks.get(host)?.[Symbol.dispose]();
    const stray = (frame: ReceivedFrame): void => this.#expected.get(`${host}.${frame.channel}`)?.(frame);
    const trunk = new Trunk(socket, { id, stray });
    this.#trunks.set(host, trunk);
    void trunk.ended.then(() => {
      if (this.#trunks.get(host) === trunk) this.#trunks.delete(host);
    });
  }

  /** Gives `early` what comes of a channel of this host before it is opened on a trunk. */
  expect(host: HostId, channel: string, early: (frame: EncodedFrame) => void): Disposable {
    const key = `${host}.${channel}`;
    this.#expected.set(key, early);
    return { [Symbol.dispose]: () => void this.#expected.delete(key) };
  }

  /** The host's trunk of that name; undefined when it has ended. */
  get(host: HostId, id: string): Trunk | undefined {
    const trunk = this.#trunks.get(host);
    return trunk?.id === id && trunk.isOpen ? trunk : undefined;
  }

  /** Ends the trunk of a host that was removed. */
  cut(host: HostId): void {
    this.#trunks.get(host)?.[Symbol.dispose]();
  }
}
