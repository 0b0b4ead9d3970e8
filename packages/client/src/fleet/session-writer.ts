import { type SessionFrame, SessionRing, SessionSender, type SessionStreamNumber } from '@fairlead/protocol/fleet';
import type { SessionChannel } from './session-keeper.ts';

/**
 * What one side of a session writes, over the channels that carry it one after the other: sent as far as the other side's credit goes,
 * and on the next channel from where the other side is. It is held until the other side has it.
 */
export class SessionWriter {
  readonly #stream: SessionStreamNumber;
  readonly #written = new SessionRing();
  #channel: SessionChannel | undefined;
  /** On the present channel; there is none before the other side's first credit. */
  #sender: SessionSender | undefined;
  readonly #isShared: boolean;
  /** Where what is written here begins in the session: the first credit says it where that is shared. */
  #from: number | undefined;
  #isEnding = false;
  #endTold = false;

  /** @param options.isShared others may write there, too: before this side's first byte, and while it has no channel. */
  constructor(stream: SessionStreamNumber, { isShared }: { readonly isShared: boolean }) {
    this.#stream = stream;
    this.#isShared = isShared;
    this.#from = isShared ? undefined : 0;
  }

  /** Written, and the other side has not said that it has it. */
  get heldBytes(): number {
    return this.#written.heldBytes;
  }

  /** Offset of what would be written next. */
  get endOffset(): number {
    return (this.#from ?? 0) + this.#written.end;
  }

  /** Ended, and the other side has all of it. */
  get isDone(): boolean {
    return this.#endTold && this.#written.heldBytes === 0;
  }

  isOn(channel: SessionChannel): boolean {
    return this.#channel === channel;
  }

  /** Goes on over `channel` from now on; `grant` says how far this side's reading is. */
  join(channel: SessionChannel, grant: SessionFrame): void {
    this.#channel = channel;
    this.#sender = undefined;
    this.#endTold = false;
    channel.send(grant);
  }

  /** Nothing more is given to the present channel. */
  leave(): void {
    this.#channel = undefined;
    this.#sender = undefined;
  }

  /** Says something beside what is written. Without a channel it is lost. */
  send(frame: SessionFrame): void {
    this.#channel?.send(frame);
  }

  /** The bytes are this side's from now on: nobody changes them. */
  write(bytes: Uint8Array): void {
    this.#written.append(this.#stream, bytes);
    this.#pump();
  }

  /** Nothing more will be written. */
  end(): void {
    this.#isEnding = true;
    this.#pump();
  }

  /** Takes a credit of the other side's. @returns whether it is one for what is held here. */
  credit(offset: number, limit: number): boolean {
    // Further than this side ever was, others have been: it goes on behind them.
    const isBehind = this.#from !== undefined && offset - this.#from > this.#written.end;
    if (this.#isShared && isBehind) this.#from = offset - this.#written.end;
    const from = (this.#from ??= offset);
    const at = offset - from;
    if (at < this.#written.begin || at > this.#written.end) return false;
    this.#written.discardBefore(at);
    this.#sender ??= new SessionSender(this.#written, {
      offset: at,
      send: (frame) => this.#channel?.send(frame.kind === 'bytes' ? { ...frame, offset: frame.offset + from } : frame),
    });
    this.#sender.credit(limit - from);
    this.#pump();
    return true;
  }

  #pump(): void {
    const sender = this.#sender;
    if (sender === undefined) return;
    sender.pump();
    if (!this.#isEnding || this.#endTold || !sender.hasSent(this.#written.end)) return;
    this.#endTold = true;
    this.#channel?.send({ kind: 'half-close', offset: this.endOffset });
  }
}
