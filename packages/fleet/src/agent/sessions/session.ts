import type { SessionKind } from '@fairlead/protocol/fleet';
import type { OpenChannel } from './nats-channel.ts';

/** A session as the agent keeps it: it outlives those who look at it. */
export interface AgentSession extends AsyncDisposable {
  readonly kind: SessionKind;
  readonly tty: boolean;
  /** Viewers connected at the moment. */
  readonly viewers: number;
  /** How long it is kept without any. */
  readonly abandonedMs: number;
  /** Resolves when nobody can learn anything from it any more. */
  readonly over: Promise<void>;
  /** One more viewer. `changed` is called when it has gone again. */
  join(open: OpenChannel, options: { readonly write: boolean; readonly changed: () => void }): void;
}
