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
