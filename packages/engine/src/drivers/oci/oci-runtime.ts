import { join } from 'node:path';
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
import { makeDirectory, pathExists, removeFile, writeFileAtomically } from '../../host/files.ts';
import { onProcessEnd, processPresence, signalProcess, waitForProcessEnd } from '../../host/proc.ts';
import type { Log } from '../../lib/log.ts';
import { bundleOf, clearBundle, readCgroupsPath, readMonitor, writeBundle, type Bundle } from './bundle.ts';
import { CompiledFilters } from './compiled-filters.ts';
import { ExecFiles } from './exec-files.ts';
import { ExecSession } from './exec-session.ts';
import { ExitWatch, readExit } from './exit-watch.ts';
import { endMonitor, startMonitor } from './monitor.ts';
import { callRuntime, dialectOf, type RuntimeCommand } from './runtime-command.ts';
import { runtimeFailure } from './runtime-failure.ts';

const SIGKILL = 9;

export interface OciRuntimeOptions {
  /** The OCI runtime's program, and its name for `/info`. */
  readonly runtime: { readonly path: string; readonly name: string };
  /** conmon's program. */
  readonly monitorPath: string;
  /** For what need not survive a reboot: the runtime's state, exit files, files of execs. At most 60 bytes long. */
  readonly stateRoot: string;
  /** Where a container's config.json, attach socket and control FIFO are. */
  readonly bundleDirectory: (id: ContainerId) => string;
  /** Its log, in conmon's k8s-file format; outlives the run. */
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
 * Containers by an OCI runtime (crun or runc), each under a conmon of its own that outlives the engine.
 *
 * Spawns per container: conmon (which spawns `create`), `start`, `delete`. Nothing is polled: exits come from one
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
  readonly #filters = new CompiledFilters();

  /** Use {@link OciRuntime.open}. */
  constructor(deps: OciRuntimeDeps, options: OciRuntimeOptions, execs: ExecFiles) {
    this.name = options.runtime.name;
    this.#deps = deps;
    this.#options = options;
    this.#command = {
      path: options.runtime.path,
      dialect: dialectOf(options.runtime.path),
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
    return new OciRuntime(deps, options, await ExecFiles.open(join(options.stateRoot, 'execs'), deps.log));
  }

  async create(request: CreateProcess): Promise<CreatedProcess> {
    const bundle = this.#bundle(request.id);
    const cgroupsPath = request.spec.linux.cgroupsPath;
    const filters = this.#command.dialect === 'crun' ? this.#filters : undefined;
    await writeBundle(bundle, filters === undefined ? request : { ...request, spec: filters.applyTo(request.spec) });
    const deps = {
      monitorPath: this.#options.monitorPath,
      command: this.#command,
      exitsDirectory: this.#exitsDirectory,
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
    const { pids, ...others } = resources;
    // crun 1.8 writes OCI's -1 as it is into the file of cgroup v1, which the kernel refuses: there it is `max`.
    const isLifted = pids !== undefined && pids.limit < 0;
    await writeFileAtomically(bundle.resourcesPath, JSON.stringify(isLifted ? others : resources), { mode: 0o600 });
    try {
      const args = ['update', '--resources', bundle.resourcesPath, id];
      const { exitCode, stderr } = await callRuntime(this.#command, args);
      if (exitCode !== 0) throw new EngineError('internal', stderr.trim());
    } finally {
      await removeFile(bundle.resourcesPath);
    }
    const cgroupsPath = this.#live.get(id)?.cgroupsPath;
    if (isLifted && cgroupsPath !== undefined) await this.#deps.cgroups.liftProcessLimit(cgroupsPath);
  }

  async delete(id: ContainerId): Promise<void> {
    const bundle = this.#bundle(id);
    const live = this.#live.get(id);
    this.#exits.forget(id);
    const [monitor, cgroupsPath] = await Promise.all([
      live?.created.monitor ?? readMonitor(bundle),
      live?.cgroupsPath ?? readCgroupsPath(bundle),
    ]);
    if (live !== undefined) await this.#kill(live.created.process, cgroupsPath);
    await Promise.all([this.#deleteState(id), monitor === undefined ? undefined : endMonitor(monitor)]);
    await Promise.all([
      cgroupsPath === undefined ? undefined : this.#deps.cgroups.remove(cgroupsPath),
      clearBundle(bundle),
    ]);
    this.#live.delete(id);
  }

  onExit(listener: (exit: ProcessExit) => void): Disposable {
    return this.#exits.onExit(listener);
  }

  /** Calls back once when the container's first process has ended, at the next turn if it has; a zombie counts as ended. */
  onProcessEnd(id: ContainerId, callback: () => void): Disposable {
    const live = this.#live.get(id);
    if (live !== undefined) return onProcessEnd(live.created.process, callback);
    const turn = setImmediate(callback);
    return { [Symbol.dispose]: () => clearImmediate(turn) };
  }

  async fate(id: ContainerId, created: CreatedProcess): Promise<ProcessFate> {
    const bundle = this.#bundle(id);
    const before = await readExit(bundle);
    if (before !== undefined) return { fate: 'exited', exit: before };
    if (processPresence(created.monitor) === 'running') {
      this.#live.set(id, { created, cgroupsPath: await readCgroupsPath(bundle), program: '' });
      this.#exits.watch(bundle, created);
      return { fate: 'running' };
    }
    // It may have written the file and ended between the two looks.
    const after = await readExit(bundle);
    if (after !== undefined) return { fate: 'exited', exit: after };
    await this.#kill(created.process, await readCgroupsPath(bundle));
    return { fate: 'lost' };
  }

  exec(request: ExecRequest): ExecProcess {
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
    this.#execs[Symbol.dispose]();
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

  async #freeze(id: ContainerId, verb: 'pause' | 'resume', wanted: string): Promise<void> {
    const { exitCode, stderr } = await callRuntime(this.#command, [verb, id]);
    if (exitCode === 0 || (await this.#status(id)) === wanted) return;
    throw new EngineError('internal', `cannot ${verb} container ${id}: ${stderr.trim()}`);
  }

  /** The runtime's word for the container's state; undefined when it does not know it. */
  async #status(id: ContainerId): Promise<string | undefined> {
    const { exitCode, stdout } = await callRuntime(this.#command, ['state', id]);
    if (exitCode !== 0) return undefined;
    const document: unknown = JSON.parse(stdout);
    if (typeof document !== 'object' || document === null || !('status' in document)) return undefined;
    return String(document.status);
  }

  async #deleteState(id: ContainerId): Promise<void> {
    const state = join(this.#command.root, id);
    // Most often there is nothing to delete when the engine starts: a look is a hundred times cheaper than a call.
    if (!(await pathExists(state))) return;
    const { exitCode, stderr } = await callRuntime(this.#command, ['delete', '--force', id]);
    if (exitCode !== 0 && (await pathExists(state))) {
      throw new EngineError('internal', `cannot delete container ${id}: ${stderr.trim()}`);
    }
  }
}
