import type { KillOptions, RemoveOptions, StopOptions } from '@fairlead/client';

/** What changes a container's life: done by an engine, or asked of a fleet's host and kept on the hub's record. */
export interface ContainerVerbs {
  start(ref: string): Promise<unknown>;
  /** `late`: the answer never came, and the state was looked at instead. */
  stop(ref: string, options: StopOptions): Promise<{ readonly late: boolean }>;
  restart(ref: string, options: StopOptions): Promise<unknown>;
  kill(ref: string, options: KillOptions): Promise<unknown>;
  remove(ref: string, options: RemoveOptions): Promise<unknown>;
  pause(ref: string): Promise<unknown>;
  unpause(ref: string): Promise<unknown>;
  rename(ref: string, name: string): Promise<unknown>;
}
