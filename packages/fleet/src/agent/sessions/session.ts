import type { SessionKind } from '@fairlead/protocol/fleet';
import type { Denial } from '../policy/policy.ts';
import type { OpenChannel } from './agent-channel.ts';

/** What a viewer may do beside looking. */
export interface ViewerRights {
  /** It may type, as long as no other that may has come after it. */
  readonly write: boolean;
  /** Why its signals are not delivered. */
  readonly signalsDenied: Denial | undefined;
}

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
  join(open: OpenChannel, options: ViewerRights & { readonly changed: () => void }): void;
}
