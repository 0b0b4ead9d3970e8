import { Duplex } from 'node:stream';

/** One end of a connection in memory. */
export interface ConnectionEnd extends Duplex {
  /** Ends the writing, and closes when everything was written. As `net.Socket` has it, for the HTTP server. */
  destroySoon(): void;
}

/**
 * A connection in memory: what is written to one end is read from the other, with the half-close and the backpressure of a socket.
 *
 * An end that is destroyed is to the other one what a closed socket is: what was written before can still be read, then comes the
 * end; writing fails with EPIPE. A peer that has nothing left to read is destroyed as well, so nobody waits for one who is gone.
 */
export function connectionPair(): readonly [ConnectionEnd, ConnectionEnd] {
  const left = new PairEnd();
  const right = new PairEnd();
  left.join(right);
  right.join(left);
  return [left.stream, right.stream];
}

class PairEnd {
  readonly stream: ConnectionEnd;
  #peer: PairEnd | undefined;
  /** A write of the peer's that waits for room here. */
  #waiting: ((error?: Error) => void) | undefined;
  #isFull = false;
  #isEnded = false;

  constructor() {
    const stream = new Duplex({
      read: () => {
        this.#isFull = false;
        this.#goOn();
      },
      write: (bytes: Uint8Array, _, done) => {
        if (this.#peer === undefined) done(brokenPipe());
        else this.#peer.#take(bytes, done);
      },
      final: (done) => {
        const peer = this.#peer;
        if (peer !== undefined) peer.#end();
        done();
      },
      destroy: (error, done) => {
        this.#goOn(brokenPipe());
        const peer = this.#peer;
        this.#peer = undefined;
        if (peer !== undefined) peer.#left();
        done(error);
      },
    });
    this.stream = Object.assign(stream, {
      destroySoon: () => {
        if (stream.writable) stream.end();
        if (stream.writableFinished) stream.destroy();
        else stream.once('finish', () => stream.destroy());
      },
    });
  }

  join(peer: PairEnd): void {
    this.#peer = peer;
  }

  #take(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#isFull = !this.stream.push(bytes);
    if (this.#isFull) this.#waiting = done;
    else done();
  }

  #goOn(error?: Error): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.(error);
  }

  #end(): void {
    if (this.#isEnded || this.stream.destroyed) return;
    this.#isEnded = true;
    this.stream.push(null);
  }

  /** The other end was destroyed. */
  #left(): void {
    this.#peer = undefined;
    const { stream } = this;
    this.#end();
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => void setImmediate(() => stream.destroy()));
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
}
