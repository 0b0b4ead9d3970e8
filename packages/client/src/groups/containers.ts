import {
  type BodyInputOf,
  type ContainerEndpoints,
  containerEndpoints as rows,
  type ContainerInspect,
  type ContainerRef,
  type ContainerSummary,
  type CreateContainerResponse,
  type QueryOf,
  type TopResponse,
  type WaitCondition,
  type WaitResponse,
} from '@fairlead/protocol';
import { call, callHijack, callStream, parseDocument } from '../call.ts';
import { trustDocument } from '../codec/json.ts';
import { SessionLostError } from '../errors.ts';
import { killContainer, type KillOptions, restartContainer, type RestartOptions } from '../deadlines/kill-restart.ts';
import { stopContainer, type StopOptions, type StopResult } from '../deadlines/stop-container.ts';
import { AttachSession } from '../streams/attach-session.ts';
import { HijackedSession, type TerminalSize } from '../streams/hijacked-session.ts';
import type { OutputChunk } from '../streams/output-decoder.ts';
import { logChunks, type LogLine, logLines } from '../streams/logs.ts';
import { answerText, type ClientDeps, type Listening, signalOf } from './group.ts';

/** What a create may say; every field is the engine API's. */
export type CreateBody = BodyInputOf<ContainerEndpoints['create']>;

export interface CreateOptions extends Listening {
  readonly name?: string | undefined;
}

export interface ListOptions extends Listening, QueryOf<ContainerEndpoints['list']> {}

export interface AttachOptions extends Listening {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** Plays the log back first. */
  readonly logs?: boolean;
  readonly detachKeys?: string | undefined;
  /** Whether the container has a terminal; absent: it is looked up. */
  readonly tty?: boolean;
}

export interface LogOptions extends Listening, Omit<QueryOf<ContainerEndpoints['logs']>, 'stdout' | 'stderr'> {
  /** Both, when neither is named. */
  readonly stdout?: boolean;
  readonly stderr?: boolean;
}

export interface WaitOptions extends Listening {
  /** `not-running` when absent. */
  readonly condition?: WaitCondition;
}

/** A wait that the engine has registered. */
export interface OpenWait {
  /** The exit code. @throws SessionLostError when the engine has none to give. */
  readonly exitCode: Promise<number>;
}

/** Containers of one engine. A `ref` is a name, an id or a unique prefix of one. */
export class ContainerGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** @throws RequestFailedError 'not-found' when the image is missing, 'conflict' when the name is taken. */
  async create(body: CreateBody, options: CreateOptions = {}): Promise<CreateContainerResponse> {
    const asked = { operation: 'create', query: { name: options.name }, body, signal: signalOf(options) };
    return (await call(this.#deps, rows.create, asked)).body;
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

  /** @returns false when it was running already. */
  async start(ref: ContainerRef, options: Listening = {}): Promise<{ readonly changed: boolean }> {
    const asked = { operation: `start ${ref}`, params: { id: ref }, signal: signalOf(options) };
    return { changed: (await call(this.#deps, rows.start, asked)).status !== 304 };
  }

  /** Stops it; how long this listens is derived from the container's own grace. @throws as `stopContainer`. */
  stop(ref: ContainerRef, options: StopOptions = {}): Promise<StopResult> {
    return stopContainer(this.#deps, ref, options);
  }

  /** @throws as `restartContainer`. */
  restart(ref: ContainerRef, options: RestartOptions = {}): Promise<void> {
    return restartContainer(this.#deps, ref, options);
  }

  /** @throws as `killContainer`. */
  kill(ref: ContainerRef, options: KillOptions = {}): Promise<void> {
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

  async remove(ref: ContainerRef, options: Listening & QueryOf<ContainerEndpoints['remove']> = {}): Promise<void> {
    const { signal, ...query } = options;
    const asked = { operation: `remove ${ref}`, params: { id: ref }, query, signal: signalOf({ signal }) };
    await call(this.#deps, rows.remove, asked);
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
    const query = { h: size.rows, w: size.columns };
    const asked = { operation: `resize ${ref}`, params: { id: ref }, query, signal: signalOf(options) };
    await call(this.#deps, rows.resize, asked);
  }

  /** Waits without end, unless `signal` says one. @throws as `OpenWait.exitCode`. */
  async wait(ref: ContainerRef, options: WaitOptions = {}): Promise<number> {
    return await (
      await this.openWait(ref, options)
    ).exitCode;
  }

  /** Resolves when the engine has registered the wait: what happens from now on is not missed. */
  async openWait(ref: ContainerRef, options: WaitOptions = {}): Promise<OpenWait> {
    const query = { condition: options.condition };
    const asked = { operation: `wait ${ref}`, params: { id: ref }, query, signal: signalOf(options) };
    const answer = await callStream(this.#deps, rows.wait, asked);
    const exitCode = answerText(answer, asked).then((text) =>
      exitCodeIn(trustDocument<WaitResponse>(parseDocument(text, asked.operation)), ref),
    );
    // Whoever opened the wait may go before it ends; then nobody hears how.
    exitCode.catch(() => {});
    return { exitCode };
  }

  /** Joins the container's standard streams; open it before a start, and nothing is missed. */
  async attach(ref: ContainerRef, options: AttachOptions = {}): Promise<AttachSession> {
    const { signal, tty = (await this.inspect(ref, options)).Config.Tty === true, ...streams } = options;
    const operation = `attach ${ref}`;
    const query = { stream: true, ...streams };
    const connection = await callHijack(this.#deps, rows.attach, {
      operation,
      params: { id: ref },
      query,
      signal: signalOf({ signal }),
      headers: { 'Content-Type': 'text/plain' },
    });
    return new AttachSession(new HijackedSession(connection, { tty, operation }), (size, waiting) =>
      this.resize(ref, size, { signal: waiting }),
    );
  }

  /** The log as bytes. Breaking off the iteration frees the connection. */
  async *logChunks(ref: ContainerRef, options: LogOptions = {}): AsyncGenerator<OutputChunk, void, undefined> {
    const { signal, stdout, stderr, ...rest } = options;
    const both = stdout === undefined && stderr === undefined;
    const operation = `logs ${ref}`;
    const { Config } = await this.inspect(ref, options);
    const query = { ...rest, stdout: both || stdout === true, stderr: both || stderr === true };
    const asked = { operation, params: { id: ref }, query, signal: signalOf({ signal }) };
    const answer = await callStream(this.#deps, rows.logs, asked);
    yield* logChunks(answer, { framed: Config.Tty !== true, operation });
  }

  /** The log line by line. */
  logs(ref: ContainerRef, options: LogOptions = {}): AsyncGenerator<LogLine, void, undefined> {
    return logLines(this.logChunks(ref, options), { timestamps: options.timestamps === true });
  }
}

function exitCodeIn(answer: WaitResponse, ref: ContainerRef): number {
  const message = answer.Error?.Message;
  if (message === undefined || message === '') return answer.StatusCode;
  throw new SessionLostError(message, { operation: `wait ${ref}` });
}
