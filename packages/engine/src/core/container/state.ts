import type { CreatedProcess } from '../ports/container-runtime.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';

/** The facts of a run that is over. */
export interface LastRun {
  readonly exitCode: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly oomKilled: boolean;
  /** SIGKILL was sent because the grace period was over. */
  readonly killedAfterGrace: boolean;
  /** Why the exit code is not the program's; empty when it is. */
  readonly error: string;
}

/** Why the last start did not happen. */
export interface StartFailure {
  /** 126, 127 or 128, as inspect shows it. */
  readonly exitCode: number;
  readonly message: string;
}

/** Life of one container. Each status carries only the facts that hold in it. */
export type ContainerState =
  | { readonly status: 'created'; readonly failure: StartFailure | null }
  /** The process is being made. Durable, so that a crash in the middle is known. People see what was before. */
  | {
      readonly status: 'starting';
      readonly restartCount: number;
      readonly delayMs: number;
      readonly last: LastRun | null;
    }
  | RunningState
  | {
      readonly status: 'restarting';
      readonly restartCount: number;
      readonly last: LastRun;
      readonly delayMs: number;
      readonly manuallyStopped: boolean;
    }
  | ExitedState
  | {
      readonly status: 'removing';
      readonly last: LastRun | null;
      readonly failure: StartFailure | null;
      /** Its anonymous volumes go with it. */
      readonly volumes?: boolean;
    }
  /** Its removal failed half-way; only another removal is possible. */
  | { readonly status: 'dead'; readonly last: LastRun | null; readonly message: string };

export interface RunningState {
  readonly status: 'running';
  readonly created: CreatedProcess;
  readonly endpoint: NetworkEndpoint | null;
  readonly startedAt: Date;
  readonly paused: boolean;
  /** Paused by the engine itself, for as long as its own work takes: an engine that finds it so thaws it. */
  readonly pausedForWork?: boolean;
  readonly restartCount: number;
  readonly last: LastRun | null;
  /** Pause before an automatic restart, as the last one left it; 0 before the first. */
  readonly delayMs: number;
  /** A signal was sent through the API since the start. Source: engine-api 3.5 (3). */
  readonly manuallyStopped: boolean;
  /** A signal took the restart policy out of force until the next manual start. Source: engine-api 3.5 (2). */
  readonly restartCancelled: boolean;
  /** It is stopping in order to be started again: its exit does not remove it. */
  readonly keep: boolean;
  /** When SIGKILL is due; null without a finite grace period under way. */
  readonly killAt: Date | null;
  readonly killedAfterGrace: boolean;
  /** The kernel killed a process in it for want of memory. Absent is no. */
  readonly oomKilled?: boolean;
}

export interface ExitedState {
  readonly status: 'exited';
  readonly last: LastRun;
  readonly restartCount: number;
  readonly manuallyStopped: boolean;
  readonly failure: StartFailure | null;
}

/** How one run ended, for those who wait. `error` when it never ran. */
export interface RunResult {
  readonly exitCode: number;
  readonly error?: string;
}
