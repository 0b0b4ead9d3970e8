import {
  type CommitContainerResponse,
  type ContainerChange,
  type ContainerEndpoints,
  containerEndpoints as rows,
  type ContainerInspect,
  type ContainerPathStat,
  type ContainerRef,
  type ContainerStats,
  type ContainerSummary,
  type CreateContainerResponse,
  type ExecInspect,
  type Filters,
  type PruneContainersReport,
  type QueryOf,
  type TopResponse,
  type UpdateContainerResponse,
} from '@fairlead/protocol';
import { call } from '../call.ts';
import { type CreateBody, createContainer, type CreateOptions } from '../deadlines/create-container.ts';
import {
  killContainer,
  type KillOptions,
  removeContainer,
  type RemoveOptions,
  restartContainer,
  startContainer,
  stopContainer,
  type StopOptions,
  type StopResult,
  type VerbOptions,
} from '../deadlines/lifecycle.ts';
import type { OperationResult } from '../deadlines/operation-result.ts';
import type { ExecSession } from '../streams/exec-session.ts';
import type { LogLine } from '../streams/log-lines.ts';
import { logChunks, logLines } from '../streams/logs.ts';
import type { OutputChunk } from '../streams/output-decoder.ts';
import type { ProcessSession } from '../streams/process-session.ts';
import type { TerminalSize } from '../streams/terminal.ts';
import {
  changesOf,
  commitContainer,
  type CommitOptions,
  type ContainerArchive,
  copyFrom,
  copyTo,
  type CopyToOptions,
  exportContainer,
  statPath,
} from './container-files.ts';
import { followStats, pruneContainers, statsOnce, updateContainer, type UpdateRequest } from './container-resources.ts';
import {
  attachContainer,
  type AttachOptions,
  type LogOptions,
  openLog,
  type OpenWait,
  openWait,
  resizeContainer,
  type WaitOptions,
} from './container-streams.ts';
import {
  type ExecOptions,
  type ExecResult,
  inspectExec,
  launchProgram,
  type ProgramOptions,
  runProgram,
  type SpawnOptions,
  spawnProgram,
} from './exec.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';
import type { Goal, Reached, UntilOptions } from './until.ts';

export interface ListOptions extends Listening, QueryOf<ContainerEndpoints['list']> {}

/** Containers of one engine. A `ref` is a name, an id or a unique prefix of one. */
export class ContainerGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** @throws as `createContainer`. */
  create(body: CreateBody, options: CreateOptions = {}): Promise<CreateContainerResponse> {
    return createContainer(this.#deps, body, options);
  }

  async list(options: ListOptions = {}): Promise<readonly ContainerSummary[]> {
    const { signal, ...query } = options;
    const asked = { operation: 'list containers', query, signal: signalOf({ signal }) };
    return (await call(this.#deps, rows.list, asked)).body;
  }

  async inspect(ref: ContainerRef, options: Listening & { readonly size?: boolean } = {}): Promise<ContainerInspect> {
    const query = { size: options.size };
    const asked = { operation: `inspect ${ref}`, params: { id: ref }, query, signal: signalOf(options) };
    return (await call(this.#deps, rows.inspect, asked)).body;
  }

  /** @throws as `startContainer`. */
  start(ref: ContainerRef, options: VerbOptions = {}): Promise<OperationResult> {
    return startContainer(this.#deps, ref, options);
  }

  /** Stops it; how long this listens is derived from the container's own grace. @throws as `stopContainer`. */
  stop(ref: ContainerRef, options: StopOptions = {}): Promise<StopResult> {
    return stopContainer(this.#deps, ref, options);
  }

  /** @throws as `restartContainer`. */
  restart(ref: ContainerRef, options: StopOptions = {}): Promise<OperationResult> {
    return restartContainer(this.#deps, ref, options);
  }

  /** @throws as `killContainer`. */
  kill(ref: ContainerRef, options: KillOptions = {}): Promise<OperationResult> {
    return killContainer(this.#deps, ref, options);
  }

  async pause(ref: ContainerRef, options: Listening = {}): Promise<void> {
    await call(this.#deps, rows.pause, { operation: `pause ${ref}`, params: { id: ref }, signal: signalOf(options) });
  }

  async unpause(ref: ContainerRef, options: Listening = {}): Promise<void> {
    await call(this.#deps, rows.unpause, {
      operation: `unpause ${ref}`,
      params: { id: ref },
      signal: signalOf(options),
    });
  }

  async rename(ref: ContainerRef, name: string, options: Listening = {}): Promise<void> {
    const asked = { operation: `rename ${ref}`, params: { id: ref }, query: { name }, signal: signalOf(options) };
    await call(this.#deps, rows.rename, asked);
  }

  /** @throws as `removeContainer`. */
  remove(ref: ContainerRef, options: RemoveOptions = {}): Promise<OperationResult> {
    return removeContainer(this.#deps, ref, options);
  }

  async top(
    ref: ContainerRef,
    options: Listening & { readonly psArgs?: string | undefined } = {},
  ): Promise<TopResponse> {
    const query = { ps_args: options.psArgs };
    const asked = { operation: `top ${ref}`, params: { id: ref }, query, signal: signalOf(options) };
    return (await call(this.#deps, rows.top, asked)).body;
  }

  async resize(ref: ContainerRef, size: TerminalSize, options: Listening = {}): Promise<void> {
    await resizeContainer(this.#deps, { ref, size }, signalOf(options));
  }

  /** Waits without end, unless `signal` says one. @throws as `OpenWait.exitCode`. */
  async wait(ref: ContainerRef, options: WaitOptions = {}): Promise<number> {
    return await (
      await this.openWait(ref, options)
    ).exitCode;
  }

  /** Resolves when the engine has registered the wait: what happens from now on is not missed. */
  openWait(ref: ContainerRef, options: WaitOptions = {}): Promise<OpenWait> {
    return openWait(this.#deps, ref, options);
  }

  /** Waits until it is running or healthy, has exited, has written something or takes connections. @throws as `untilContainer`. */
  async until(ref: ContainerRef, goal: Goal, options: UntilOptions = {}): Promise<Reached> {
    const { untilContainer } = await import('./until.ts');
    return await untilContainer(this.#deps, { ref, goal }, options);
  }

  /** Joins the container's standard streams; open it before a start, and nothing is missed. */
  attach(ref: ContainerRef, options: AttachOptions = {}): Promise<ProcessSession> {
    return attachContainer(this.#deps, ref, options);
  }

  /** Runs a program in it to the end and gives back what it wrote and its exit code. @throws as `runProgram`. */
  exec(ref: ContainerRef, command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return runProgram(this.#deps, { ref, command }, options);
  }

  /** Starts a program in it and joins its streams. @throws as `spawnProgram`. */
  spawn(ref: ContainerRef, command: readonly string[], options: SpawnOptions = {}): Promise<ExecSession> {
    return spawnProgram(this.#deps, { ref, command }, options);
  }

  /** What the engine knows of a program started in one of its containers. @throws as `inspectExec`. */
  inspectExec(execId: string, options: Listening = {}): Promise<ExecInspect> {
    return inspectExec(this.#deps, execId, options);
  }

  /** Starts a program in it and leaves it to itself. @returns the exec's id. @throws as `launchProgram`. */
  launch(
    ref: ContainerRef,
    command: readonly string[],
    options: ProgramOptions & { readonly tty?: boolean } = {},
  ): Promise<string> {
    return launchProgram(this.#deps, { ref, command }, options);
  }

  /** The log line by line, with the time of each. Breaking off the iteration frees the connection. @throws as `logLines`. */
  async *logs(
    ref: ContainerRef,
    options: Omit<LogOptions, 'timestamps'> = {},
  ): AsyncGenerator<LogLine, void, undefined> {
    yield* logLines(await openLog(this.#deps, ref, { ...options, timestamps: true }));
  }

  /** The log as bytes. Breaking off the iteration frees the connection. @throws as `logChunks`. */
  async *logChunks(ref: ContainerRef, options: LogOptions = {}): AsyncGenerator<OutputChunk, void, undefined> {
    yield* logChunks(await openLog(this.#deps, ref, options));
  }

  /** What a path in it is. @throws as `statPath`. */
  stat(ref: ContainerRef, path: string, options: Listening = {}): Promise<ContainerPathStat> {
    return statPath(this.#deps, { ref, path }, options);
  }

  /** A file or directory of it, as a tar. @throws as `copyFrom`. */
  copyFrom(ref: ContainerRef, path: string, options: Listening = {}): Promise<ContainerArchive> {
    return copyFrom(this.#deps, { ref, path }, options);
  }

  /** Unpacks a tar in it, into the directory at `path`. @throws as `copyTo`. */
  copyTo(
    ref: ContainerRef,
    target: { readonly path: string; readonly tar: AsyncIterable<Uint8Array> },
    options: CopyToOptions = {},
  ): Promise<void> {
    return copyTo(this.#deps, { ref, ...target }, options);
  }

  /** Its whole root filesystem as a tar. @throws as `exportContainer`. */
  export(ref: ContainerRef, options: Listening = {}): AsyncGenerator<Uint8Array, void, undefined> {
    return exportContainer(this.#deps, ref, options);
  }

  /** What differs from its image. */
  changes(ref: ContainerRef, options: Listening = {}): Promise<readonly ContainerChange[]> {
    return changesOf(this.#deps, ref, options);
  }

  /** Makes an image of it. @throws as `commitContainer`. */
  commit(ref: ContainerRef, options: CommitOptions = {}): Promise<CommitContainerResponse> {
    return commitContainer(this.#deps, ref, options);
  }

  /** What it uses of its host, about once a second: see `summarizeStats`. @throws as `followStats`. */
  stats(ref: ContainerRef, options: Listening = {}): AsyncGenerator<ContainerStats, void, undefined> {
    return followStats(this.#deps, ref, options);
  }

  /** What it uses now, measured over a second; `oneShot`: at once, without a CPU percentage. @throws as `statsOnce`. */
  statsOnce(
    ref: ContainerRef,
    options: Listening & { readonly oneShot?: boolean | undefined } = {},
  ): Promise<ContainerStats> {
    return statsOnce(this.#deps, ref, options);
  }

  /** Changes its limits and its restart policy. What the request leaves out stays. */
  update(ref: ContainerRef, request: UpdateRequest, options: Listening = {}): Promise<UpdateContainerResponse> {
    return updateContainer(this.#deps, { ref, request }, options);
  }

  /** Removes every container that does not run. */
  prune(options: Listening & { readonly filters?: Filters | undefined } = {}): Promise<PruneContainersReport> {
    return pruneContainers(this.#deps, options);
  }
}
