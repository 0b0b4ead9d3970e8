import { EngineError } from '../errors.ts';
import { SESSION_CHUNK_BYTES_MAX, SESSION_CREDIT_BYTES_FIRST, SESSION_CREDIT_BYTES_MAX } from './session.ts';
import type { SessionFrame } from './session-frame.ts';
import type { SessionRing } from './session-ring.ts';

/** Sends what a ring holds to one channel, as far as the receiver's credit goes. */
export class SessionSender {
  readonly #ring: SessionRing;
  readonly #send: (frame: SessionFrame) => void;
  #next: number;
  #limit = 0;

  constructor(ring: SessionRing, options: { readonly offset: number; readonly send: (frame: SessionFrame) => void }) {
    this.#ring = ring;
    this.#send = options.send;
    this.#next = options.offset;
  }

  /** Offset of the byte that is sent next. */
  get next(): number {
    return this.#next;
  }

  /** True when everything up to `offset` has been sent. */
  hasSent(offset: number): boolean {
    return this.#next >= offset;
  }

  /** Takes a credit of the receiver's. Older ones that come late change nothing. */
  credit(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }

  /** Sends what there is. What the ring no longer has is told as skipped. */
  pump(): void {
    if (this.#next < this.#ring.begin) {
      this.#send({ kind: 'skipped', offset: this.#next, count: this.#ring.begin - this.#next });
      this.#next = this.#ring.begin;
    }
    while (this.#next < this.#limit) {
      const piece = this.#ring.read(this.#next, Math.min(SESSION_CHUNK_BYTES_MAX, this.#limit - this.#next));
      if (piece === undefined) return;
      this.#next += piece.bytes.length;
      this.#send({ kind: 'bytes', ...piece });
    }
  }
}

/**
 * Takes bytes in order and grants credit as they are consumed. The window doubles whenever a whole one was consumed, from
 * `SESSION_CREDIT_BYTES_FIRST` to `SESSION_CREDIT_BYTES_MAX`.
 */
export class SessionReceiver {
  #received: number;
  #consumed: number;
  #granted = 0;
  #windowBytes: number = SESSION_CREDIT_BYTES_FIRST;
  #sinceDoubled = 0;

  constructor(offset = 0) {
    this.#received = offset;
    this.#consumed = offset;
  }

  /** Offset of the byte that is expected next. */
  get received(): number {
    return this.#received;
  }

  /** Received and not consumed. */
  get heldBytes(): number {
    return this.#received - this.#consumed;
  }

  /**
   * The part of `bytes` that is new; undefined when none is.
   *
   * @throws EngineError 'invalid-argument' when bytes are missing in between, or more came than was granted.
   */
  take(offset: number, bytes: Uint8Array): Uint8Array | undefined {
    if (offset > this.#received) throw outOfStep(`bytes ${this.#received} to ${offset} are missing`);
    const fresh = bytes.subarray(this.#received - offset);
    if (fresh.length === 0) return undefined;
    if (this.#received + fresh.length > this.#granted) throw outOfStep('more came than was granted');
    this.#received += fresh.length;
    return fresh;
  }

  /** Goes on behind bytes that will never come. */
  skip(offset: number, count: number): void {
    if (offset > this.#received) throw outOfStep(`bytes ${this.#received} to ${offset} are missing`);
    const fresh = Math.max(0, offset + count - this.#received);
    this.#received += fresh;
    this.#consumed += fresh;
  }

  /** Notes that so many bytes were written out; the credit to send, when it is worth a frame. */
  consume(count: number): SessionFrame | undefined {
    this.#consumed += count;
    this.#sinceDoubled += count;
    if (this.#sinceDoubled >= this.#windowBytes) {
      this.#windowBytes = Math.min(this.#windowBytes * 2, SESSION_CREDIT_BYTES_MAX);
      this.#sinceDoubled = 0;
    }
    if (this.#consumed + this.#windowBytes - this.#granted < this.#windowBytes / 2) return undefined;
    return this.grant();
  }

  /** The credit as it stands: the first frame on every channel. */
  grant(): SessionFrame {
    this.#granted = Math.max(this.#granted, this.#consumed + this.#windowBytes);
    return { kind: 'credit', offset: this.#consumed, limit: this.#granted };
  }
}

function outOfStep(message: string): EngineError {
  return new EngineError('invalid-argument', `a session is out of step: ${message}`);
}
