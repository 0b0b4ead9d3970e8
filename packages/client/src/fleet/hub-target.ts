import type { Transport } from '../transport/transport.ts';

/** Which hub, and as whom. */
export interface HubTarget {
  /** The way to the hub itself. */
  readonly hub: Transport;
  /** A user's token; not needed over the hub's own socket. */
  readonly token?: string | undefined;
}
