import {
  type SessionFrame,
  SessionReceiver,
  SessionRing,
  SessionSender,
  type TerminalRect,
} from '@fairlead/protocol/fleet';
import { SessionLostError } from '../errors.ts';
import { SessionAsks } from './session-asks.ts';
import type { SessionChannel, SessionParty } from './session-keeper.ts';

/** What a session shows: output in its order, or how many bytes of it this viewer missed. */
export type SessionItem =
  | {
      readonly kind: 'output';
      readonly stream: 'stdout' | 'stderr';
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'skipped'; readonly bytes: number };

type Exit = Extract<SessionFrame, { readonly kind: 'exit' }>;

/** What may be typed before the host takes it: more waits. */
const UNSENT_BYTES_MAX: number = 256 * 1024;

/**
 * Somebody who looks at a session of a host: a program, a container's streams, a log. The session is the host's and goes on
 * without its viewers; leaving does not end it, `end()` does.
 */
export class SessionViewer implements SessionParty, AsyncDisposable {
  readonly closed: Promise<void>;
  readonly #closedNow = Promise.withResolvers<void>();
  readonly #receiver: SessionReceiver;
  readonly #items: SessionItem[] = [];
  #wake = Promise.withResolvers<void>();
  #channel: SessionChannel | undefined;
  #exit: Exit | undefined;
  #failure: Error | undefined;
  /** Typed, by offset from where the host was when this viewer first might type. */
  readonly #typed = new SessionRing();
  #typedFrom: number | undefined;
  #sender: SessionSender | undefined;
  readonly #asks = new SessionAsks();
  #inputEnded = false;
  #endTold = false;
  #writable = Promise.withResolvers<void>();

  /** @param offset from where on it wants to see the output; 0 is the beginning, as far as the host still has it. */
  constructor(offset = 0) {
    this.#receiver = new SessionReceiver(offset);
    this.closed = this.#closedNow.promise;
  }

  /** Where another viewer would go on. */
  get offset(): number {
    return this.#receiver.received;
  }

  /** What there is to see, until the session ends. @throws SessionLostError, ConnectionLostError when it cannot go on. */
  async *output(): AsyncGenerator<SessionItem, void, undefined> {
    for (;;) {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
        try {
          yield item;
        } finally {
          // Whoever breaks off has had it, and may read on later.
          this.#consumed(item);
        }
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#exit !== undefined) return;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }

  /** The program's exit code, after the output's end. @throws SessionLostError when nobody knows it: it is never made up. */
  exitCode(): number {
    if (this.#exit?.exitCode !== undefined && this.#exit.exitCode !== null) return this.#exit.exitCode;
    const why = this.#exit?.reason ?? 'it has not ended';
    throw new SessionLostError(`the session's exit code cannot be known: ${why}`, { operation: 'session' });
  }

  /** Resolves when there is room for more. Only the session's writer is heard. */
  async write(bytes: Uint8Array): Promise<void> {
    // Whoever wrote it may use the memory again.
    this.#typed.append(0, new Uint8Array(bytes));
    this.#pump();
    while (this.#typed.heldBytes > UNSENT_BYTES_MAX && this.#failure === undefined && this.#exit === undefined) {
      this.#writable = Promise.withResolvers();
      await this.#writable.promise;
    }
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#pump();
  }

  /** Resolves when the program's terminal has that size. Only the session's writer is heard. @throws EngineError when it has none. */
  async resize({ rows, columns }: TerminalRect): Promise<void> {
    await this.#asks.ask({ kind: 'resize', rows, columns });
  }

  /**
   * Resolves when the program has the signal: an attached container's own process, or an exec's process group. Only the session's
   * writer is heard.
   *
   * @throws EngineError with the host's words when it was not delivered; ConnectionLostError when nobody knows.
   */
  async signal(signal: string): Promise<void> {
    await this.#asks.ask({ kind: 'signal', signal });
  }

  /** Ends the session for everybody. */
  end(reason = ''): void {
    this.#channel?.send({ kind: 'close', reason });
    this.#leave();
  }

  /** Leaves; the session goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  join(channel: SessionChannel): void {
    this.#channel = channel;
    this.#sender = undefined;
    this.#endTold = false;
    channel.send(this.#receiver.grant());
    this.#asks.join(channel);
  }

  lost(channel: SessionChannel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#sender = undefined;
    this.#asks.lost();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#leave();
  }

  receive(channel: SessionChannel, frame: SessionFrame): void {
    if (channel !== this.#channel) return;
    switch (frame.kind) {
      case 'bytes': {
        const bytes = this.#receiver.take(frame.offset, frame.bytes);
        const stream = frame.stream === 2 ? 'stderr' : 'stdout';
        if (bytes !== undefined) this.#show({ kind: 'output', stream, offset: this.offset - bytes.length, bytes });
        return;
      }
      case 'skipped':
        this.#receiver.skip(frame.offset, frame.count);
        return this.#show({ kind: 'skipped', bytes: frame.count });
      case 'credit':
        return this.#credit(channel, frame.offset, frame.limit);
      case 'exit':
        this.#exit = frame;
        return this.#leave();
      case 'answer':
        return this.#asks.answer(frame);
      case 'half-close':
      case 'close':
      case 'resize':
      case 'signal':
      case 'ping':
        return undefined;
      default:
        return frame satisfies never;
    }
  }

  #consumed(item: SessionItem): void {
    const credit = item.kind === 'output' ? this.#receiver.consume(item.bytes.length) : undefined;
    if (credit !== undefined) this.#channel?.send(credit);
  }

  #show(item: SessionItem): void {
    this.#items.push(item);
    this.#wake.resolve();
  }

  #credit(channel: SessionChannel, offset: number, limit: number): void {
    // What others have typed before is not this viewer's.
    const from = (this.#typedFrom ??= offset);
    this.#typed.discardBefore(offset - from);
    this.#sender ??= new SessionSender(this.#typed, {
      offset: Math.max(0, offset - from),
      send: (frame) => channel.send(frame.kind === 'bytes' ? { ...frame, offset: frame.offset + from } : frame),
    });
    this.#sender.credit(limit - from);
    this.#pump();
    this.#writable.resolve();
  }

  #pump(): void {
    this.#sender?.pump();
    const isSent = this.#sender?.hasSent(this.#typed.end) === true;
    if (!this.#inputEnded || this.#endTold || !isSent) return;
    this.#endTold = true;
    this.#channel?.send({ kind: 'half-close', offset: this.#typed.end + (this.#typedFrom ?? 0) });
  }

  #leave(): void {
    this.#asks.over();
    this.#closedNow.resolve();
    this.#wake.resolve();
    this.#writable.resolve();
  }
}
