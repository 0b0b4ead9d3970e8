import { SESSION_CREDIT_BYTES_MAX, type SessionFrame, SessionReceiver } from '@fairlead/protocol/fleet';
import { Duplex } from 'node:stream';
import { ConnectionLostError } from '../errors.ts';
import type { SessionChannel, SessionParty } from './session-keeper.ts';
import { SessionWriter } from './session-writer.ts';

/**
 * One end of a two-way byte stream that outlives its connections: what was on its way when a channel broke is sent again on the
 * next, once and in order. Nothing is dropped: a reader that stops makes the writer at the other end wait.
 *
 * `end()` on the stream is a half-close. Holds at most `SESSION_CREDIT_BYTES_MAX` in each direction.
 */
export class SessionEnd implements SessionParty {
  readonly stream: Duplex;
  /** Resolves when the stream is closed at this end. */
  readonly closed: Promise<void>;
  readonly #side: 'caller' | 'agent';
  readonly #writer: SessionWriter;
  readonly #receiver = new SessionReceiver();
  /** Came in, and the stream's reader did not want it yet. */
  #held: Uint8Array[] = [];
  #peerEnded = false;
  #isEndRead = false;
  #isFlowing = false;
  #writeWaits: (() => void) | undefined;
  /** Called when the other end has it all. */
  #finish: (() => void) | undefined;

  constructor(side: 'caller' | 'agent') {
    this.#side = side;
    this.#writer = new SessionWriter(side === 'caller' ? 0 : 1, { isShared: false });
    this.stream = new Duplex({
      allowHalfOpen: true,
      // The agent's end stays until the caller's has everything and closes: a channel may break before that.
      autoDestroy: side === 'caller',
      read: () => this.#flow(),
      write: (chunk: Uint8Array, _, done) => this.#write(chunk, done),
      final: (done) => {
        this.#finish = done;
        this.#writer.end();
      },
      destroy: (error, done) => {
        this.#leave(error);
        done(error);
      },
    });
    // Told to whoever reads or writes; without a listener it would end the process.
    this.stream.on('error', () => {});
    this.closed = new Promise((resolve) => this.stream.once('close', () => resolve()));
  }

  /** Goes on over `channel` from now on. The first frame that is sent says how far this end is. */
  join(channel: SessionChannel): void {
    this.#writer.join(channel, this.#receiver.grant());
  }

  /** `channel` broke: nothing more is given to it. */
  lost(channel: SessionChannel): void {
    if (this.#writer.isOn(channel)) this.#writer.leave();
  }

  /** Takes a frame that came over `channel`; those of a channel that was replaced change nothing. @throws EngineError when out of step. */
  receive(channel: SessionChannel, frame: SessionFrame): void {
    if (!this.#writer.isOn(channel) || this.stream.destroyed) return;
    switch (frame.kind) {
      case 'credit':
        return this.#credit(frame.offset, frame.limit);
      case 'bytes':
        return this.#take(frame.offset, frame.bytes);
      case 'half-close':
        return this.#endOfInput(frame.offset);
      case 'exit':
        return this.#exit(frame.offset, frame.reason);
      case 'close':
        return void this.stream.destroy();
      case 'skipped':
        return void this.stream.destroy(lost('bytes were lost on the way'));
      case 'resize':
      case 'signal':
      case 'answer':
      case 'ping':
        return undefined;
      default:
        return frame satisfies never;
    }
  }

  fail(error: Error): void {
    this.stream.destroy(error);
  }

  #write(chunk: Uint8Array, done: () => void): void {
    // Whoever wrote it may use the memory again; an agent's engine does not.
    this.#writer.write(this.#side === 'caller' ? new Uint8Array(chunk) : chunk);
    this.#writeWaits = done;
    this.#mayWriteOn();
  }

  #credit(offset: number, limit: number): void {
    if (!this.#writer.credit(offset, limit)) {
      this.stream.destroy(lost('the other end is at bytes that this one no longer has'));
      return;
    }
    this.#mayWriteOn();
    if (this.#writer.isDone) this.#finished();
  }

  #mayWriteOn(): void {
    if (this.#writer.heldBytes >= SESSION_CREDIT_BYTES_MAX) return;
    const done = this.#writeWaits;
    this.#writeWaits = undefined;
    done?.();
  }

  #finished(): void {
    const done = this.#finish;
    this.#finish = undefined;
    done?.();
  }

  #take(offset: number, bytes: Uint8Array): void {
    const fresh = this.#receiver.take(offset, bytes);
    if (fresh === undefined) return;
    this.#held.push(fresh);
    if (this.#isFlowing) this.#flow();
  }

  /** Hands on what is held, as long as the reader wants more: only then it counts as consumed. */
  #flow(): void {
    this.#isFlowing = true;
    let consumed = 0;
    while (this.#isFlowing && this.#held.length > 0) {
      const bytes = this.#held.shift() ?? new Uint8Array();
      consumed += bytes.length;
      this.#isFlowing = this.stream.push(bytes);
    }
    const credit = consumed === 0 ? undefined : this.#receiver.consume(consumed);
    if (credit !== undefined) this.#writer.send(credit);
    this.#endReading();
  }

  #endOfInput(offset: number): void {
    if (this.#peerEnded) return;
    if (offset !== this.#receiver.received) {
      this.stream.destroy(lost('it ended in the middle'));
      return;
    }
    this.#peerEnded = true;
    this.#endReading();
  }

  #endReading(): void {
    if (!this.#peerEnded || this.#held.length > 0 || this.#isEndRead) return;
    this.#isEndRead = true;
    // The other end waits for the word that all of it arrived.
    this.#writer.send(this.#receiver.grant());
    this.stream.push(null);
  }

  /** The other end is over, and not because both sides were done: like a connection that was reset. */
  #exit(offset: number, reason: string): void {
    if (this.#peerEnded && offset === this.#receiver.received) return;
    this.stream.destroy(lost(reason));
  }

  #leave(error: Error | null): void {
    const reason = error?.message ?? '';
    this.#writer.send(
      this.#side === 'caller'
        ? { kind: 'close', reason }
        : {
            kind: 'exit',
            offset: this.#writer.endOffset,
            exitCode: null,
            reason: reason || 'the connection to the engine was closed',
          },
    );
    this.#writer.leave();
    this.#held = [];
    this.#writeWaits?.();
    this.#finished();
  }
}

function lost(why: string): ConnectionLostError {
  return new ConnectionLostError(`the session was lost: ${why}`, { operation: 'session' });
}
