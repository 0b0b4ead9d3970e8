import type { ContainerId } from '@fairlead/protocol';

/** A container, as volumes see it. */
export interface VolumeUser {
  readonly containerId: ContainerId;
  /** It runs, or is being started: what it uses must be mounted. */
  readonly isUp: boolean;
  readonly volumeNames: ReadonlySet<string>;
}
