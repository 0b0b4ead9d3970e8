import {
  type ContainerEndpoints,
  containerEndpoints as rows,
  type ContainerRef,
  type QueryOf,
  type WaitCondition,
  type WaitResponse,
} from '@fairlead/protocol';
import { call, callHijack, callStream, parseDocument } from '../call.ts';
import { trustDocument } from '../codec/json.ts';
import { SessionLostError } from '../errors.ts';
import type { OpenLog } from '../streams/logs.ts';
import { ProcessSession } from '../streams/process-session.ts';
import type { TerminalSize } from '../streams/terminal.ts';
import { answerText, type ClientDeps, type Listening, signalOf } from './group.ts';
import { inspectContainer } from './watch-container.ts';

interface Streams {
  /** Both outputs, when neither is named. */
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
}

export interface AttachOptions extends Listening, Streams {
  readonly stdin?: boolean | undefined;
  /** Plays the log back first. */
  readonly logs?: boolean | undefined;
  readonly detachKeys?: string | undefined;
  /** Whether the container has a terminal; absent: it is looked up. */
  readonly tty?: boolean | undefined;
}

export interface LogOptions
  extends Listening, Streams, Omit<QueryOf<ContainerEndpoints['logs']>, 'stdout' | 'stderr'> {}

export interface WaitOptions extends Listening {
  /** `not-running` when absent. */
  readonly condition?: WaitCondition;
}

/** A wait that the engine has registered. */
export interface OpenWait {
  /** The exit code. @throws SessionLostError when the engine has none to give. */
  readonly exitCode: Promise<number>;
}

/** Joins a container's standard streams. @throws RequestFailedError, and what every call throws. */
export async function attachContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  options: AttachOptions,
): Promise<ProcessSession> {
  const { logs, stdin = false, detachKeys } = options;
  const signal = signalOf(options);
  const { tty = await hasTerminal(deps, ref, signal) } = options;
  const operation = `attach ${ref}`;
  const query = { stream: true, stdin, logs, detachKeys, ...bothWhenNeither(options) };
  const headers = { 'Content-Type': 'text/plain' };
  const asked = { operation, params: { id: ref }, query, signal, headers };
  return new ProcessSession(await callHijack(deps, rows.attach, asked), {
    ...{ tty, stdin, detachKeys, operation, signal },
    resize: (size, waiting) => resizeContainer(deps, { ref, size }, waiting),
  });
}

/** Tells a container's terminal its size. @throws RequestFailedError when it does not run. */
export async function resizeContainer(
  deps: ClientDeps,
  { ref, size }: { readonly ref: ContainerRef; readonly size: TerminalSize },
  signal: AbortSignal,
): Promise<void> {
  const query = { h: size.rows, w: size.columns };
  await call(deps, rows.resize, { operation: `resize ${ref}`, params: { id: ref }, query, signal });
}

/** Asks for a log. @throws RequestFailedError, and what every call throws. */
export async function openLog(deps: ClientDeps, ref: ContainerRef, options: LogOptions): Promise<OpenLog> {
  const { signal: given, ...rest } = options;
  const signal = signalOf({ signal: given });
  const framed = !(await hasTerminal(deps, ref, signal));
  const query = { ...rest, ...bothWhenNeither(options) };
  const asked = { operation: `logs ${ref}`, params: { id: ref }, query, signal };
  return { ...asked, answer: await callStream(deps, rows.logs, asked), framed };
}

/** Resolves when the engine has registered the wait. @throws RequestFailedError, and what every call throws. */
export async function openWait(deps: ClientDeps, ref: ContainerRef, options: WaitOptions): Promise<OpenWait> {
  const query = { condition: options.condition };
  const asked = { operation: `wait ${ref}`, params: { id: ref }, query, signal: signalOf(options) };
  const answer = await callStream(deps, rows.wait, asked);
  const exitCode = answerText(answer, asked).then((text) =>
    exitCodeIn(trustDocument<WaitResponse>(parseDocument(text, asked.operation)), ref),
  );
  // Whoever opened the wait may go before it ends; then nobody hears how.
  exitCode.catch(() => {});
  return { exitCode };
}

function exitCodeIn(answer: WaitResponse, ref: ContainerRef): number {
  const message = answer.Error?.Message;
  if (message === undefined || message === '') return answer.StatusCode;
  throw new SessionLostError(message, { operation: `wait ${ref}` });
}

async function hasTerminal(deps: ClientDeps, ref: ContainerRef, signal: AbortSignal): Promise<boolean> {
  return (await inspectContainer(deps, ref, signal)).Config.Tty === true;
}

function bothWhenNeither({ stdout, stderr }: Streams): { readonly stdout: boolean; readonly stderr: boolean } {
  const both = stdout === undefined && stderr === undefined;
  return { stdout: both || stdout === true, stderr: both || stderr === true };
}
