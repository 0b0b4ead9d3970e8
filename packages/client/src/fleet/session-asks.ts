import { EngineError } from '@fairlead/protocol';
import type { SessionFrame } from '@fairlead/protocol/fleet';
import { ConnectionLostError } from '../errors.ts';
import type { SessionChannel } from './session-keeper.ts';

type Asked = Extract<SessionFrame, { readonly kind: 'resize' | 'signal' }>;
/** Without its number. */
type Ask =
  | Omit<Extract<Asked, { readonly kind: 'resize' }>, 'id'>
  | Omit<Extract<Asked, { readonly kind: 'signal' }>, 'id'>;

/**
 * What a viewer asks of a session's program beside its input: sizes and signals, each until it is answered. A size is asked again on
 * the next connection; a signal is not, because nobody knows whether it was delivered.
 */
export class SessionAsks {
  readonly #open = new Map<number, { readonly frame: Asked; readonly answered: PromiseWithResolvers<void> }>();
  #channel: SessionChannel | undefined;
  #lastId = 0;

  /** Resolves when it was done. @throws EngineError 'conflict' with the agent's words, ConnectionLostError when it is not known. */
  async ask(asked: Ask): Promise<void> {
    if (asked.kind === 'signal' && this.#channel === undefined) {
      throw new EngineError('unavailable', 'the session is not connected at the moment: the signal was not sent');
    }
    this.#lastId += 1;
    const frame = { ...asked, id: this.#lastId };
    const answered = Promise.withResolvers<void>();
    this.#open.set(frame.id, { frame, answered });
    this.#channel?.send(frame);
    await answered.promise;
  }

  join(channel: SessionChannel): void {
    this.#channel = channel;
    for (const { frame } of this.#open.values()) channel.send(frame);
  }

  lost(): void {
    this.#channel = undefined;
    this.#fail(
      ({ kind }) => kind === 'signal',
      () => new ConnectionLostError('the connection broke before the signal was answered', { operation: 'session' }),
    );
  }

  answer({ id, refusal }: Extract<SessionFrame, { readonly kind: 'answer' }>): void {
    const asked = this.#open.get(id);
    this.#open.delete(id);
    if (refusal === null) asked?.answered.resolve();
    else asked?.answered.reject(new EngineError('conflict', refusal));
  }

  /** Nothing will be answered any more. */
  over(): void {
    this.#channel = undefined;
    this.#fail(
      () => true,
      ({ kind }) => new EngineError('conflict', `the session was over before its ${kind} was answered`),
    );
  }

  #fail(which: (frame: Asked) => boolean, why: (frame: Asked) => Error): void {
    for (const { frame, answered } of [...this.#open.values()].filter((one) => which(one.frame))) {
      this.#open.delete(frame.id);
      answered.reject(why(frame));
    }
  }
}
