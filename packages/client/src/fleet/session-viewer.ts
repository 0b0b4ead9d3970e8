import { EngineError } from '@fairlead/protocol';
import { type SessionFrame, SessionReceiver, type TerminalRect } from '@fairlead/protocol/fleet';
import { SessionLostError } from '../errors.ts';
import { SessionAsks } from './session-asks.ts';
import type { SessionChannel, SessionParty } from './session-keeper.ts';
import { SessionWriter } from './session-writer.ts';

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

/** How somebody looks at a session. */
export interface ViewerOptions {
  /** From where on it wants to see the output; 0, the beginning as far as the host still has it, when absent. */
  readonly offset?: number;
  /** It joins to type as well. */
  readonly write?: boolean;
}

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
  #exit: Exit | undefined;
  #failure: Error | undefined;
  /** What is typed. What others have typed before is not this viewer's. */
  readonly #typed = new SessionWriter(0, { isShared: true });
  readonly #write: boolean;
  /** Why it may not type at the moment. */
  #mute: EngineError | undefined;
  readonly #asks = new SessionAsks();
  #writable = Promise.withResolvers<void>();

  constructor({ offset = 0, write = false }: ViewerOptions = {}) {
    this.#receiver = new SessionReceiver(offset);
    this.#write = write;
    this.#mute = write ? undefined : new EngineError('forbidden', 'this viewer only looks: it did not join to type');
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

  /**
   * Resolves when there is room for more.
   *
   * @throws EngineError 'forbidden' when it did not join to type, 'conflict' when another one types since.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#refuseMute();
    // Whoever wrote it may use the memory again.
    this.#typed.write(new Uint8Array(bytes));
    while (this.#typed.heldBytes > UNSENT_BYTES_MAX && this.#failure === undefined && this.#exit === undefined) {
      this.#writable = Promise.withResolvers();
      await this.#writable.promise;
      this.#refuseMute();
    }
  }

  /** Nothing more is typed. @throws EngineError as `write`. */
  endInput(): void {
    this.#refuseMute();
    this.#typed.end();
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

  /** Leaves, and ends the session for everybody: heard of those who joined to type, and of everybody who looks at a log. */
  end(reason = ''): void {
    this.#typed.send({ kind: 'close', reason });
    this.#leave();
  }

  /** Leaves; the session goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  join(channel: SessionChannel): void {
    // Who comes back to type does so again.
    if (this.#write) this.#mute = undefined;
    this.#typed.join(channel, this.#receiver.grant());
    this.#asks.join(channel);
  }

  lost(channel: SessionChannel): void {
    if (!this.#typed.isOn(channel)) return;
    this.#typed.leave();
    this.#asks.lost();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#leave();
  }

  receive(channel: SessionChannel, frame: SessionFrame): void {
    if (!this.#typed.isOn(channel)) return;
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
        return this.#credit(frame.offset, frame.limit);
      case 'exit':
        this.#exit = frame;
        return this.#leave();
      case 'answer':
        return this.#asks.answer(frame);
      case 'close':
        this.#mute = new EngineError('conflict', `the host takes nothing more of what is typed here: ${frame.reason}`);
        return this.#writable.resolve();
      case 'half-close':
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
    if (credit !== undefined) this.#typed.send(credit);
  }

  #show(item: SessionItem): void {
    this.#items.push(item);
    this.#wake.resolve();
  }

  #credit(offset: number, limit: number): void {
    this.#typed.credit(offset, limit);
    this.#writable.resolve();
  }

  #refuseMute(): void {
    if (this.#mute !== undefined) throw new EngineError(this.#mute.kind, this.#mute.message);
  }

  #leave(): void {
    this.#asks.over();
    this.#closedNow.resolve();
    this.#wake.resolve();
    this.#writable.resolve();
  }
}
