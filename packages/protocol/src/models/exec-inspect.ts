/** Answer to `GET /exec/{id}/json`. */
export interface ExecInspect {
  readonly ID: string;
  readonly Running: boolean;
  /** Null until it has ended. */
  readonly ExitCode: number | null;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged: boolean;
    /** Only when it was set at create. */
    readonly user?: string;
  };
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly CanRemove: boolean;
  readonly ContainerID: string;
  /** Base64 of the key bytes; empty when none were given. */
  readonly DetachKeys: string;
  /** Of the host. 0 before the start; kept after the exit. */
  readonly Pid: number;
}
