import type { ContainerId, ExecId } from '@fairlead/protocol';
import type { OciProcess, OciResources, OciSpec } from '../spec/oci.ts';
import type { ConsoleConnection, TerminalSize } from './console.ts';

/** A process of the host. Pids are reused; with the kernel's start time they name one process for ever. */
export interface ProcessRef {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  readonly startTicks: number;
}

/** A container's first process, to be made. */
export interface CreateProcess {
  readonly id: ContainerId;
  readonly spec: OciSpec;
  readonly tty: boolean;
  /** Whether what it writes is kept as its log. */
  readonly logged: boolean;
  /** Keep a stdin open for attachers. */
  readonly openStdin: boolean;
  /** The first attacher's end of input is the process's. */
  readonly stdinOnce: boolean;
}

/** A container's first process and the monitor that stays with it. */
export interface CreatedProcess {
  readonly process: ProcessRef;
  readonly monitor: ProcessRef;
}

/** How a container's first process ended. */
export interface ProcessExit {
  readonly id: ContainerId;
  /** 0–255; 128 + signal number when a signal ended it. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly at: Date;
  /** For `State.Error`, when the code is not the process's own: its monitor was lost and the container was killed (255). */
  readonly error?: string;
}

/** What the kernel says about a container that the record calls running. */
export type ProcessFate =
  | { readonly fate: 'running' }
  | { readonly fate: 'exited'; readonly exit: ProcessExit }
  /** The monitor was killed as well, so nobody collected the exit code. */
  | { readonly fate: 'lost' };

/** A program to be started in a running container. */
export interface ExecRequest {
  readonly id: ContainerId;
  readonly execId: ExecId;
  readonly process: OciProcess;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Nobody will ever listen: without a terminal, its output goes to the null device and it outlives the engine. */
  readonly detached: boolean;
  readonly size: TerminalSize | undefined;
}

/** A process started in a running container. */
export interface ExecProcess extends ConsoleConnection {
  /**
   * Resolves with the host pid when the program runs.
   * @throws EngineError with Docker's words when it could not be started; `details.exitCode` is 126, 127 or 128.
   */
  readonly started: Promise<number>;
  /** Resolves when the process ended, before its output is drained. Never rejects. After a failed start: its code. */
  readonly exited: Promise<number>;
  resize(size: TerminalSize): void;
  /** Ends the process with SIGKILL, once it runs. Nothing happens when it has ended or never started. */
  kill(): Promise<void>;
}

/** Runs containers. Every method may be repeated: after a crash the engine does what it still owes once more. */
export interface ContainerRuntime {
  /** Path or name of the OCI runtime in use, for `/info`. */
  readonly name: string;
  /**
   * Makes the container's process under a monitor that outlives the engine, stopped before its first instruction.
   * @throws EngineError in Docker's words; `details.exitCode` is 126, 127 or 128. Nothing is left behind then.
   */
  create(request: CreateProcess): Promise<CreatedProcess>;
  /** Lets the created process run the user's program. @throws EngineError, as `create`. */
  start(id: ContainerId): Promise<void>;
  /** Delivers a signal to exactly this process; `gone` when it no longer exists. */
  signal(process: ProcessRef, signal: number): Promise<'sent' | 'gone'>;
  pause(id: ContainerId): Promise<void>;
  resume(id: ContainerId): Promise<void>;
  /**
   * Changes limits of a running container, paused or not; what `resources` leaves out stays as it is.
   * @throws EngineError 'internal' with the runtime's words when the kernel refuses one of them; others may be in force then.
   *   'conflict' when it has ended.
   */
  update(id: ContainerId, resources: OciResources): Promise<void>;
  /**
   * Kills what is left of it, removes its cgroup, its monitor and the runtime's state; its log stays. Nothing to do is
   * success. An exit that was not told before is not told any more.
   */
  delete(id: ContainerId): Promise<void>;
  /**
   * Called when the kernel killed a process in a container for want of memory; the exit, if it was the first one, follows.
   * When it was not told before the exit, the exit says it.
   */
  onOom(listener: (id: ContainerId) => Promise<void>): Disposable;
  /**
   * Called once per exit of a container that was created here or that `fate` called running. An exit that happened while
   * the engine was away is `fate`'s answer instead.
   */
  onExit(listener: (exit: ProcessExit) => void): Disposable;
  /** Asks the kernel, after a restart of the engine, and watches the container from now on if it runs. */
  fate(id: ContainerId, created: CreatedProcess): Promise<ProcessFate>;
  exec(request: ExecRequest): ExecProcess;
  /** Host pids of everything in the container, its first process first. */
  pids(id: ContainerId): Promise<readonly number[]>;
}
