import { basename, join } from 'node:path';
import { EngineError, type ContainerId } from '@fairlead/protocol';
import type { Cgroups } from '../../core/ports/cgroups.ts';
import type {
  ContainerRuntime,
  CreatedProcess,
  CreateProcess,
  ExecProcess,
  ExecRequest,
  ProcessExit,
  ProcessFate,
  ProcessRef,
} from '../../core/ports/container-runtime.ts';
import type { OciResources } from '../../core/spec/oci.ts';
import {
  makeDirectory,
  pathExists,
  removeFile,
  removeHalfWritten,
  removeTree,
  writeFileAtomically,
} from '../../host/files.ts';
import { removeAtOnce, releaseReader } from '../../host/at-once.ts';
import { isErrno } from '../../host/errno.ts';
import { UNMOUNT_FLAGS, unmountTree } from '../../host/mounts.ts';
import { SealedProgram } from '../../host/sealed-program.ts';
import { executableOf, processPresence, signalProcess, waitForProcessEnd } from '../../host/proc.ts';
import type { Log } from '../../lib/log.ts';
import {
  bundleOf,
  clearBundle,
  isUnfinished,
  readCgroupsPath,
  readMonitor,
  writeBundle,
  type Bundle,
} from './bundle.ts';
import { CompiledFilters } from './compiled-filters.ts';
import { endHalfMade } from './end-half-made.ts';
import { ExecFiles } from './exec-files.ts';
import { ExecSession } from './exec-session.ts';
import { ExitWatch, readExit } from './exit-watch.ts';
import { withoutLifted } from './lifted-limits.ts';
import { endMonitor, startMonitor } from './monitor.ts';
import { callRuntime, dialectOf, type RuntimeCommand } from './runtime-command.ts';
import { programRuns } from './program-runs.ts';
import { runtimeFailure } from './runtime-failure.ts';

const SIGKILL = 9;
/** Where crun and runc write down what a container is. */
const STATE_FILES = ['status', 'state.json'] as const;

export interface OciRuntimeOptions {
  /** The OCI runtime's program, and its name for `/info`. */
  readonly runtime: { readonly path: string; readonly name: string };
  /** For what need not survive a reboot: the runtime's state, exit files, files of execs. At most 60 bytes long. */
  readonly stateRoot: string;
  /** Where a container's config.json and its monitor's sockets and control FIFO are. */
  readonly bundleDirectory: (id: ContainerId) => string;
  /** Its log, in the CRI's format; outlives the run. */
  readonly logPath: (id: ContainerId) => string;
}

export interface OciRuntimeDeps {
  readonly cgroups: Cgroups;
  readonly log: Log;
}

/** What this engine knows of a container without asking. */
interface Live {
  readonly created: CreatedProcess;
  readonly cgroupsPath: string | undefined;
  readonly program: string;
}

/**
 * Containers by an OCI runtime (crun or runc), each under a monitor of its own that outlives the engine.
 *
 * Spawns per container: the monitor (which spawns `create`), `start`, `delete`. Nothing is polled: exits come from one
 * directory watch, the end of monitors from their pidfds.
 */
export class OciRuntime implements ContainerRuntime, Disposable {
  readonly name: string;
  readonly #deps: OciRuntimeDeps;
  readonly #options: OciRuntimeOptions;
  readonly #command: RuntimeCommand;
  readonly #execs: ExecFiles;
  readonly #exits: ExitWatch;
  readonly #live = new Map<ContainerId, Live>();
  /** Of whose runs nothing is left: until the next, or until they are removed. */
  readonly #cleared = new Set<ContainerId>();
  readonly #sealed: SealedProgram | undefined;
  readonly #filters = new CompiledFilters();

  /** Use {@link OciRuntime.open}. */
  constructor(deps: OciRuntimeDeps, options: OciRuntimeOptions, execs: ExecFiles) {
    this.name = options.runtime.name;
    this.#deps = deps;
    this.#options = options;
    const { path } = options.runtime;
    this.#sealed = seal(path, deps.log);
    this.#command = {
      path,
      runPath: () => this.#sealed?.runPath() ?? path,
      dialect: dialectOf(path),
      root: join(options.stateRoot, 'runtime'),
    };
    this.#execs = execs;
    this.#exits = new ExitWatch({
      exitsDirectory: this.#exitsDirectory,
      endOrphan: async (bundle, { process }) => this.#kill(process, await readCgroupsPath(bundle)),
      log: deps.log,
    });
  }

  /** Makes the state directories and starts watching. Disposing stops watching; containers and monitors go on. */
  static async open(deps: OciRuntimeDeps, options: OciRuntimeOptions): Promise<OciRuntime> {
    await makeDirectory(join(options.stateRoot, 'runtime'), 0o700);
    await makeDirectory(join(options.stateRoot, 'exits'), 0o700);
    return new OciRuntime(deps, options, await ExecFiles.open(join(options.stateRoot, 'execs')));
  }

  async create(request: CreateProcess): Promise<CreatedProcess> {
    const bundle = this.#bundle(request.id);
    this.#cleared.delete(request.id);
    this.#deps.cgroups.expectMove();
    const cgroupsPath = request.spec.linux.cgroupsPath;
    const filters = this.#command.dialect === 'crun' ? this.#filters : undefined;
    await writeBundle(bundle, filters === undefined ? request : { ...request, spec: filters.applyTo(request.spec) });
    const deps = {
      command: this.#command,
      exitsDirectory: this.#exitsDirectory,
      memoryGroup: cgroupsPath === undefined ? undefined : this.#deps.cgroups.memoryGroup(cgroupsPath),
    };
    let created: CreatedProcess;
    try {
      created = await startMonitor(deps, bundle, request);
    } catch (failure) {
      await this.delete(request.id).catch((error: unknown) => {
        this.#deps.log.failure('runtime.create.not-undone', error, { containerId: request.id });
      });
      throw failure;
    }
    this.#live.set(request.id, { created, cgroupsPath, program: request.spec.process.args[0] ?? '' });
    this.#exits.watch(bundle, created);
    filters?.learnFrom(request.spec, join(this.#command.root, request.id)).catch((error: unknown) => {
      this.#deps.log.failure('runtime.filter.unreadable', error, { containerId: request.id });
    });
    return created;
  }

  async start(id: ContainerId): Promise<void> {
    const pid = this.#live.get(id)?.created.process.pid;
    const before = pid === undefined ? undefined : executableOf(pid);
    if (this.#release(id)) return await programRuns(pid, before);
    const { exitCode, stderr } = await callRuntime(this.#command, ['start', id]);
    if (exitCode === 0) return;
    // Done once more after a crash between the start and its record.
    if ((await this.#status(id)) === 'running') return;
    throw runtimeFailure(stderr, { operation: 'start', program: this.#live.get(id)?.program ?? '' });
  }

  async signal(process: ProcessRef, signal: number): Promise<'sent' | 'gone'> {
    return signalProcess(process, signal);
  }

  async pause(id: ContainerId): Promise<void> {
    await this.#freeze(id, 'pause', 'paused');
  }

  async resume(id: ContainerId): Promise<void> {
    await this.#freeze(id, 'resume', 'running');
  }

  async update(id: ContainerId, resources: OciResources): Promise<void> {
    const bundle = this.#bundle(id);
    const { kept, lifted } = withoutLifted(resources);
    await writeFileAtomically(bundle.resourcesPath, JSON.stringify(kept), { mode: 0o600 });
    try {
      const args = ['update', '--resources', bundle.resourcesPath, id];
      const { exitCode, stderr } = await callRuntime(this.#command, args);
      if (exitCode !== 0) throw await this.#refusal(id, stderr);
    } finally {
      await removeFile(bundle.resourcesPath);
    }
    const cgroupsPath = this.#live.get(id)?.cgroupsPath;
    if (cgroupsPath !== undefined) await this.#deps.cgroups.lift(cgroupsPath, lifted);
  }

  async delete(id: ContainerId): Promise<void> {
    // After an exit comes the removal, most often.
    if (this.#cleared.delete(id)) return;
    const bundle = this.#bundle(id);
    const live = this.#live.get(id);
    this.#exits.forget(id);
    const [monitor, cgroupsPath] = await Promise.all([
      live?.created.monitor ?? readMonitor(bundle),
      live?.cgroupsPath ?? readCgroupsPath(bundle),
    ]);
    if (live !== undefined) await this.#kill(live.created.process, cgroupsPath);
    else await this.#endUnknown(bundle);
    await Promise.all([this.#deleteState(id, cgroupsPath), monitor === undefined ? undefined : endMonitor(monitor)]);
    await clearBundle(bundle);
    // Of one that never ran nobody would ever take it out again.
    if (this.#live.delete(id)) this.#cleared.add(id);
  }

  onOom(listener: (id: ContainerId) => Promise<void>): Disposable {
    return this.#exits.onOom(listener);
  }

  onExit(listener: (exit: ProcessExit) => void): Disposable {
    return this.#exits.onExit(listener);
  }

  async fate(id: ContainerId, created: CreatedProcess): Promise<ProcessFate> {
    const bundle = this.#bundle(id);
    const before = readExit(bundle);
    if (before !== undefined) return { fate: 'exited', exit: before };
    if (processPresence(created.monitor) === 'running') {
      this.#live.set(id, { created, cgroupsPath: await readCgroupsPath(bundle), program: '' });
      this.#exits.watch(bundle, created);
      return { fate: 'running' };
    }
    // It may have written the file and ended between the two looks.
    const after = readExit(bundle);
    if (after !== undefined) return { fate: 'exited', exit: after };
    await this.#kill(created.process, await readCgroupsPath(bundle));
    return { fate: 'lost' };
  }

  exec(request: ExecRequest): ExecProcess {
    this.#deps.cgroups.expectMove();
    return new ExecSession({ command: this.#command, files: this.#execs }, request);
  }

  async pids(id: ContainerId): Promise<readonly number[]> {
    const live = this.#live.get(id);
    const cgroupsPath = live?.cgroupsPath ?? (await readCgroupsPath(this.#bundle(id)));
    const pids = cgroupsPath === undefined ? [] : await this.#deps.cgroups.pids(cgroupsPath);
    const first = live?.created.process.pid;
    return first === undefined || !pids.includes(first) ? pids : [first, ...pids.filter((pid) => pid !== first)];
  }

  [Symbol.dispose](): void {
    this.#exits[Symbol.dispose]();
    this.#sealed?.[Symbol.dispose]();
  }

  get #exitsDirectory(): string {
    return join(this.#options.stateRoot, 'exits');
  }

  #bundle(id: ContainerId): Bundle {
    const { bundleDirectory, logPath } = this.#options;
    return bundleOf({ exitsDirectory: this.#exitsDirectory, bundleDirectory, logPath }, id);
  }

  /**
   * Kills a container's first process, and with it, by its pid namespace, the rest; resolves when it has ended, however
   * long the kernel takes. runc's own `delete --force` looks only every 100 ms.
   */
  async #kill(process: ProcessRef, cgroupsPath: string | undefined): Promise<void> {
    if (signalProcess(process, SIGKILL) === 'gone') return;
    if (cgroupsPath !== undefined) await this.#deps.cgroups.thaw(cgroupsPath);
    await waitForProcessEnd(process, new AbortController().signal);
  }

  /** Of a run that this engine has not begun: whatever the one before was doing when it died. */
  async #endUnknown(bundle: Bundle): Promise<void> {
    if (await isUnfinished(bundle)) await endHalfMade(this.#command, bundle.id);
    await removeHalfWritten(bundle.directory);
  }

  async #freeze(id: ContainerId, verb: 'pause' | 'resume', wanted: string): Promise<void> {
    const { exitCode, stderr } = await callRuntime(this.#command, [verb, id]);
    if (exitCode === 0 || (await this.#status(id)) === wanted) return;
    throw await this.#refusal(id, `cannot ${verb} container ${id}: ${stderr}`);
  }

  /** Why a call about a running container failed: most often it has ended in this very moment, and its exit is on the way here. */
  async #refusal(id: ContainerId, report: string): Promise<EngineError> {
    const status = await this.#status(id);
    if (status !== undefined && status !== 'stopped') return new EngineError('internal', report.trim());
    return new EngineError('conflict', `container ${id} is not running`, { details: { report: report.trim() } });
  }

  /** The runtime's word for the container's state; undefined when it does not know it. */
  async #status(id: ContainerId): Promise<string | undefined> {
    const { exitCode, stdout } = await callRuntime(this.#command, ['state', id]);
    if (exitCode !== 0) return undefined;
    const document: unknown = JSON.parse(stdout);
    if (typeof document !== 'object' || document === null || !('status' in document)) return undefined;
    return String(document.status);
  }

  /**
   * What crun's `start` does, without a call of it: the container's process waits for somebody who opens this FIFO.
   * @returns false when it does not wait there; then crun may say why. Source: crun, libcrun_status_write_exec_fifo.
   */
  #release(id: ContainerId): boolean {
    if (this.#command.dialect !== 'crun') return false;
    return releaseReader(join(this.#command.root, id, 'exec.fifo')) === 'released';
  }

  /** Removes the runtime's state and the cgroups of a container whose first process has ended, as far as we know it. */
  async #deleteState(id: ContainerId, cgroupsPath: string | undefined): Promise<void> {
    const removeCgroups = async (): Promise<void> => {
      if (cgroupsPath !== undefined) await this.#deps.cgroups.remove(cgroupsPath);
    };
    if (this.#command.dialect === 'crun' && this.#live.has(id)) {
      await Promise.all([this.#removeState(join(this.#command.root, id)), removeCgroups()]);
    } else {
      await this.#callDelete(id);
      await removeCgroups();
    }
  }

  /** What is left for crun's `delete` to do when the process has ended and there are no hooks: 5 ms less than a call of it. */
  async #removeState(state: string): Promise<void> {
    // First, so that a state that is half removed is none.
    removeAtOnce(join(state, 'status'));
    try {
      await removeTree(state);
    } catch (error) {
      if (!isErrno(error, 'EBUSY')) throw error;
      // Handlers of crun's for other kinds of containers mount something there.
      await unmountTree(state, UNMOUNT_FLAGS.detach | UNMOUNT_FLAGS.noFollow);
      await removeTree(state);
    }
  }

  async #callDelete(id: ContainerId): Promise<void> {
    const state = join(this.#command.root, id);
    // Most often there is nothing to delete when the engine starts: a look is a hundred times cheaper than a call.
    if (!(await pathExists(state))) return;
    const { exitCode, stderr } = await callRuntime(this.#command, ['delete', '--force', id]);
    if (exitCode === 0 || !(await pathExists(state))) return;
    const isKnown = await Promise.all(STATE_FILES.map((name) => pathExists(join(state, name))));
    // The runtime was killed before it had written down what it made: its cgroup is removed all the same.
    if (!isKnown.includes(true)) await removeTree(state);
    else {
      throw new EngineError('internal', `cannot delete container ${id}: ${stderr.trim()}`);
    }
  }
}

/**
 * crun makes itself a read-only mount for each call, runs itself anew from there, and does without when it is run from one:
 * half of what a call costs. Source: crun, src/libcrun/cloned_binary.c.
 */
function seal(path: string, log: Log): SealedProgram | undefined {
  if (basename(path) !== 'crun') return undefined;
  try {
    return new SealedProgram(path);
  } catch (error) {
    // It protects itself then.
    log.failure('runtime.seal.refused', error, { path });
    return undefined;
  }
}
