import {
  type BodyInputOf,
  type ContainerRef,
  type ExecEndpoints,
  execEndpoints as rows,
  type ExecInspect,
} from '@fairlead/protocol';
import { call, callHijack, callStream } from '../call.ts';
import { type CollectedOutput, collectOutput } from '../streams/collect-output.ts';
import { ExecSession } from '../streams/exec-session.ts';
import { feedInput, type ProgramInput } from '../streams/feed-input.ts';
import type { TerminalSize } from '../streams/terminal.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

/** How a program in a running container is started. */
export interface ProgramOptions extends Listening {
  /** `NAME=value`, added to the container's and winning over it. */
  readonly env?: readonly string[] | undefined;
  /** Absent: the container's. */
  readonly user?: string | undefined;
  /** Absent: the container's. */
  readonly workingDir?: string | undefined;
  readonly privileged?: boolean | undefined;
}

export interface SpawnOptions extends ProgramOptions {
  readonly tty?: boolean | undefined;
  /** Keeps the program's input open for `write`. Absent: with a terminal, yes. */
  readonly stdin?: boolean | undefined;
  /** Of the terminal from its first moment; engines before API 1.42 do not know it. */
  readonly size?: TerminalSize | undefined;
  readonly detachKeys?: string | undefined;
  /** Told the engine's id for it, and awaited, before anything is started: whoever must find it again can write it down. */
  readonly onCreated?: ((execId: string) => Promise<void>) | undefined;
}

export interface ExecOptions extends ProgramOptions {
  /** Sent to the program; then its input ends. */
  readonly stdin?: ProgramInput | undefined;
}

/** What a program left. */
export interface ExecResult extends CollectedOutput {
  readonly exitCode: number;
}

/** A program to start: where, and what. */
export interface Program {
  readonly ref: ContainerRef;
  readonly command: readonly string[];
}

type ExecBody = BodyInputOf<ExecEndpoints['create']>;

/** Starts a program and joins its streams. @throws RequestFailedError 'conflict' when the container is not running. */
export async function spawnProgram(deps: ClientDeps, program: Program, options: SpawnOptions): Promise<ExecSession> {
  const { tty = false, stdin = tty, size, detachKeys = '' } = options;
  const signal = signalOf(options);
  const console = size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] };
  const id = await createExec(deps, program, {
    ...programBody(program, options),
    ...console,
    ...{ Tty: tty, AttachStdin: stdin, AttachStdout: true, AttachStderr: true, DetachKeys: detachKeys },
    signal,
  });
  await options.onCreated?.(id);
  const operation = operationOf(program);
  const asked = { operation, params: { id }, body: { Detach: false, Tty: tty, ...console }, signal };
  return new ExecSession(await callHijack(deps, rows.start, asked), {
    ...{ id, tty, stdin, detachKeys, operation, signal },
    inspect: async (waiting) => (await call(deps, rows.inspect, { operation, params: { id }, signal: waiting })).body,
    resize: async (to, waiting) => {
      const query = { h: to.rows, w: to.columns };
      await call(deps, rows.resize, { operation: `resize ${operation}`, params: { id }, query, signal: waiting });
    },
  });
}

/**
 * Runs a program to its end and gives back what it wrote.
 *
 * @throws as `spawnProgram`; ProtocolError when it writes more than `COLLECTED_BYTES_MAX`, SessionLostError when there is no
 * exit code to be had.
 */
export async function runProgram(deps: ClientDeps, program: Program, options: ExecOptions): Promise<ExecResult> {
  const { stdin, ...rest } = options;
  await using session = await spawnProgram(deps, program, { ...rest, stdin: stdin !== undefined });
  const over = new AbortController();
  const collected = collectOutput(session.output(), operationOf(program)).finally(() => over.abort());
  const [output] = await Promise.all([collected, feedInput(session, stdin, over.signal)]);
  return { ...output, exitCode: await session.exitCode(signalOf(options)) };
}

/** Starts a program and leaves it to itself. @returns the exec's id. @throws as `spawnProgram`. */
export async function launchProgram(
  deps: ClientDeps,
  program: Program,
  options: ProgramOptions & { readonly tty?: boolean },
): Promise<string> {
  const { tty = false } = options;
  const signal = signalOf(options);
  const id = await createExec(deps, program, { ...programBody(program, options), Tty: tty, signal });
  const asked = { operation: operationOf(program), params: { id }, body: { Detach: true, Tty: tty }, signal };
  (await callStream(deps, rows.start, asked)).body.resume();
  return id;
}

/** What the engine knows of an exec. @throws RequestFailedError 'not-found': engines forget them, soon or with a restart. */
export async function inspectExec(deps: ClientDeps, execId: string, options: Listening): Promise<ExecInspect> {
  const operation = `inspect exec ${execId.slice(0, 12)}`;
  return (await call(deps, rows.inspect, { operation, params: { id: execId }, signal: signalOf(options) })).body;
}

async function createExec(
  deps: ClientDeps,
  program: Program,
  { signal, ...body }: ExecBody & { readonly signal: AbortSignal },
): Promise<string> {
  const asked = { operation: operationOf(program), params: { id: program.ref }, body, signal };
  return (await call(deps, rows.create, asked)).body.Id;
}

function operationOf({ ref }: Program): string {
  return `exec ${ref}`;
}

function programBody({ command }: Program, options: ProgramOptions): ExecBody {
  const { env = null, user = '', workingDir = '', privileged = false } = options;
  return { Cmd: command, Env: env, User: user, WorkingDir: workingDir, Privileged: privileged };
}
