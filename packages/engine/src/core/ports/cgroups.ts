/** A limit that can be taken away: of processes, or of CPU time per period. */
export type LiftedLimit = 'pids' | 'cpu-quota';

/** The control groups of containers, by the `cgroupsPath` of their spec (`/fairlead/<id>`). Every method may be repeated. */
export interface Cgroups {
  /** Host pids of everything in the group and the groups below it, in the kernel's order; none when it does not exist. */
  pids(cgroupsPath: string): Promise<readonly number[]>;
  /** Lets a paused group run: what is frozen cannot even be killed on cgroup v1. Not paused, or nothing there, is success. */
  thaw(cgroupsPath: string): Promise<void>;
  /** Directory of the group in the hierarchy that limits memory; undefined when this host has none. */
  memoryGroup(cgroupsPath: string): string | undefined;
  /** A process will be put into a group soon: makes that faster, returns at once and never fails. */
  expectMove(): void;
  /** Takes limits away. Nothing there is success. */
  lift(cgroupsPath: string, limits: readonly LiftedLimit[]): Promise<void>;
  /**
   * Kills what is left in the group and removes it from every hierarchy. Nothing there is success.
   * @throws EngineError 'internal' when something in it does not end within two seconds.
   */
  remove(cgroupsPath: string): Promise<void>;
}
