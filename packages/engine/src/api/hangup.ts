import type { Duplex } from 'node:stream';
import type { Answer } from './exchange.ts';

/** How the client left, or that the engine makes it leave. */
export type HangupCause = 'closed' | 'half-closed' | 'draining';

/** The reason of a call's `hangup` signal. */
export class Hangup extends Error {
  override readonly name = 'Hangup';
  readonly by: HangupCause;

  constructor(by: HangupCause) {
    super(by === 'draining' ? 'the engine is shutting down' : 'context canceled');
    this.by = by;
  }
}

/** Watches one exchange for its client's departure. Disposing ends the watch. */
export interface HangupWatch extends Disposable {
  /** Aborts with a `Hangup`. */
  readonly signal: AbortSignal;
}

/**
 * Aborts when the client leaves before its answer is complete, or the engine drains.
 *
 * On an ordinary request a half-close means that the client is gone, and the answer is still written: a unix socket cannot tell
 * one from the other. Source: engine-api 1.10. For a connection that may become a stream a half-close means nothing yet.
 */
export function watchHangup(
  {
    connection,
    answer,
    halfClose,
  }: { readonly connection: Duplex; readonly answer: Answer; readonly halfClose: boolean },
  draining: AbortSignal,
): HangupWatch {
  const controller = new AbortController();
  const leave = (by: HangupCause): void => {
    if (!answer.writableFinished) controller.abort(new Hangup(by));
  };
  const onEnd = (): void => leave('half-closed');
  const onClose = (): void => leave('closed');
  const onDraining = (): void => leave('draining');
  connection.once('close', onClose);
  draining.addEventListener('abort', onDraining, { once: true });
  if (halfClose) connection.once('end', onEnd);
  if (connection.destroyed) onClose();
  else if (draining.aborted) onDraining();
  else if (halfClose && connection.readableEnded) onEnd();
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      connection.off('close', onClose);
      connection.off('end', onEnd);
      draining.removeEventListener('abort', onDraining);
    },
  };
}
