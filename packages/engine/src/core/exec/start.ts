import { EngineError, isEngineError } from '@fairlead/protocol';
import type { ConsoleConnection, OutputChunk, TerminalSize } from '../ports/console.ts';
import type { ExecProcess } from '../ports/container-runtime.ts';
import type { ContainerActor } from '../container/actor.ts';
import { startFailureOf } from '../container/start-failure.ts';
import { assertExecutable, commandLine } from './create.ts';
import type { ExecDeps } from './deps.ts';
import { execProcessOf } from './process.ts';
import type { ExecSession } from './session.ts';

/** An exec that this caller, and nobody else, may now start. */
export interface ClaimedExec {
  readonly session: ExecSession;
  readonly actor: ContainerActor;
}

/**
 * Takes an exec for starting: all that can be refused is refused here, before a connection is hijacked.
 * @throws EngineError 'not-found', 'conflict' when it was started before or its container does not run.
 */
export function claimExec(deps: ExecDeps, id: string): ClaimedExec {
  const session = deps.execs.resolve(id);
  const actor = deps.directory.get(session.containerId);
  if (actor === undefined) throw new EngineError('not-found', `No such exec instance: ${id}`);
  assertExecutable(actor, actor.id);
  session.apply({ type: 'claimed' });
  return { session, actor };
}

/**
 * Starts a claimed exec and connects to it. The connection's output ends after the exit code is stored.
 */
export async function startExec(
  deps: ExecDeps,
  { session, actor }: ClaimedExec,
  size: TerminalSize | undefined,
): Promise<ConsoleConnection> {
  const { process, settled } = await launchExec(deps, { session, actor }, { size });
  return {
    output: untilSettled(process, settled),
    write: (bytes) => process.write(bytes),
    endInput: () => process.endInput(),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/**
 * Starts a claimed exec that nobody listens to; resolves when its program runs.
 * @throws EngineError when it could not be started.
 */
export async function startDetachedExec(deps: ExecDeps, claimed: ClaimedExec): Promise<void> {
  const { process } = await launchExec(deps, claimed, { size: undefined, detached: true });
  await process[Symbol.asyncDispose]();
  await process.started;
}

/** A process under way whose life is being written down. */
export interface LaunchedExec {
  readonly process: ExecProcess;
  /** Resolves when its exit code is stored and told; rejects when it could not be started, which is stored then. */
  readonly settled: Promise<void>;
}

/** How a claimed exec is started. */
export interface LaunchOptions {
  readonly size: TerminalSize | undefined;
  /** Nobody will listen. */
  readonly detached?: boolean;
}

/** Starts a claimed exec; its streams are the caller's. @throws EngineError when the runtime cannot even be asked. */
export async function launchExec(deps: ExecDeps, claimed: ClaimedExec, options: LaunchOptions): Promise<LaunchedExec> {
  const process = await launch(deps, claimed, options);
  const settled = follow(deps, claimed, process);
  // Whoever cares awaits it.
  settled.catch(() => {});
  return { process, settled };
}

async function launch(deps: ExecDeps, claimed: ClaimedExec, options: LaunchOptions): Promise<ExecProcess> {
  const { session, actor } = claimed;
  try {
    const process = deps.runtime.exec({
      id: actor.id,
      execId: session.id,
      process: await execProcessOf(deps, actor, session.config),
      tty: session.config.Tty,
      stdin: session.config.AttachStdin,
      detached: options.detached ?? false,
      size: options.size,
    });
    session.launch(process);
    return process;
  } catch (cause) {
    failed(deps, session, cause);
    throw cause;
  }
}

/** Writes down what becomes of the process. Rejects when it could not be started. */
async function follow(deps: ExecDeps, { session, actor }: ClaimedExec, process: ExecProcess): Promise<void> {
  const started = process.started.then(
    (pid) => {
      session.apply({ type: 'started', pid });
      deps.publish(actor.record, `exec_start: ${commandLine(session.config)}`, { execID: session.id });
    },
    (cause: unknown) => {
      failed(deps, session, cause);
      throw cause;
    },
  );
  // Joined below; the exit may come first.
  started.catch(() => {});
  const exitCode = await process.exited;
  await started;
  session.apply({ type: 'exited', exitCode, at: deps.clock.now() });
  deps.publish(actor.record, 'exec_die', { execID: session.id, exitCode: String(exitCode) });
}

/** A start that failed is an exec that ended with 126, 127 or 128. Source: engine-api 5.6. */
function failed(deps: ExecDeps, session: ExecSession, cause: unknown): void {
  session.apply({ type: 'exited', exitCode: startFailureOf(cause).exitCode, at: deps.clock.now() });
}

/**
 * The stream's end is a promise: whoever inspects after it finds the exit code. Why a program could not be started is said
 * in the stream, as Docker does: its head was sent before.
 */
async function* untilSettled(process: ExecProcess, settled: Promise<void>): AsyncGenerator<OutputChunk> {
  yield* process.output;
  try {
    await settled;
  } catch (error) {
    if (!isEngineError(error)) throw error;
    yield { stream: 'stdout', bytes: Buffer.from(`${error.message}\r\n`) };
  }
}
