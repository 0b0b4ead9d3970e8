import type { SessionAnswer, SessionRequest } from '@fairlead/protocol/fleet';
import type { Epoch } from '../link/epoch.ts';

/** Who opens sessions on this host. The role was checked by the hub. */
export interface SessionHost {
  /** Sessions that are open. */
  readonly count: number;
  /** Opens one, or says why not. Does not reject. */
  open(request: SessionRequest): Promise<SessionAnswer>;
  /** The connection over which sessions speak from now on: one for all, and another one after a break. */
  use(epoch: Pick<Epoch, 'connection' | 'subjects'>): void;
}
