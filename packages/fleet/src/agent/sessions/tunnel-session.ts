import { SessionEnd } from '@fairlead/client/fleet';
import { SESSION_ABANDONED_MS } from '@fairlead/protocol/fleet';
import type { Duplex } from 'node:stream';
import type { AgentChannel, OpenChannel } from './agent-channel.ts';
import type { AgentSession } from './session.ts';

/** One connection to the host's engine. It has one viewer: the last one that joined. */
export class TunnelSession implements AgentSession {
  readonly kind = 'tunnel';
  readonly tty = false;
  readonly abandonedMs: number = SESSION_ABANDONED_MS;
  readonly over: Promise<void>;
  readonly #end = new SessionEnd('agent');
  #channel: AgentChannel | undefined;

  /** @param serve what speaks HTTP on the connection; it owns the stream from then on. */
  constructor(serve: (connection: Duplex) => void) {
    this.over = this.#end.closed;
    serve(this.#end.stream);
  }

  get viewers(): number {
    return this.#channel === undefined ? 0 : 1;
  }

  join(open: OpenChannel, options: { readonly changed: () => void }): void {
    this.#leave();
    const joined: AgentChannel = open({
      receive: (frame) => this.#end.receive(joined, frame),
      lost: () => {
        this.#end.lost(joined);
        if (this.#channel === joined) this.#channel = undefined;
        options.changed();
      },
    });
    this.#channel = joined;
    this.#end.join(joined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.stream.destroy();
    await this.#end.closed;
    this.#leave();
  }

  #leave(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel === undefined) return;
    this.#end.lost(channel);
    channel[Symbol.dispose]();
  }
}
