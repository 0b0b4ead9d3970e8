import type { State } from '@fairlead/protocol';
import { NotFoundError, SessionLostError } from './errors.ts';
import { settledWithin } from './settled-within.ts';
import type { OpenWait } from './groups/container-streams.ts';
import type { CreateBody } from './deadlines/create-container.ts';
import type { ContainerGroup } from './groups/containers.ts';
import { type Listening, signalOf } from './groups/group.ts';
import { type CollectedOutput, collectOutput } from './streams/collect-output.ts';
import { feedInput, type ProgramInput } from './streams/feed-input.ts';

export interface RunOptions extends Listening {
  readonly name?: string;
  /** Removes the container afterwards. */
  readonly autoRemove?: boolean;
  /** Sent to the program; then its input ends. */
  readonly stdin?: ProgramInput | undefined;
  /** Everything else of the engine's create. */
  readonly body?: CreateBody;
}

/** What a container's program left. */
export interface RunResult extends CollectedOutput {
  readonly id: string;
  readonly exitCode: number;
  readonly warnings: readonly string[];
}

/** An image and what to run of it; an empty command runs the image's own. */
export interface RunProgram {
  readonly image: string;
  readonly command: readonly string[];
}

/**
 * Runs a container to its end. The attach and the wait are open before the start, so nothing is missed.
 *
 * Who stops waiting leaves the container running.
 * @throws RequestFailedError when it cannot be made or started, ProtocolError when it writes more than
 * `COLLECTED_BYTES_MAX`, SessionLostError when the engine knows no exit code.
 */
export async function runContainer(
  containers: ContainerGroup,
  program: RunProgram,
  options: RunOptions,
): Promise<RunResult> {
  const { stdin, autoRemove = false } = options;
  const signal = signalOf(options);
  const { Id: id, Warnings: warnings } = await containers.create(createBody(program, options), {
    name: options.name,
    signal,
  });
  const hasInput = stdin !== undefined;
  const tty = options.body?.Tty === true;
  await using undo = new AsyncDisposableStack();
  const joined = await removedIfFailing(containers, { id, autoRemove }, async () => {
    const session = undo.use(await containers.attach(id, { stdin: hasInput, stdout: true, stderr: true, tty, signal }));
    const ended = await containers.openWait(id, { condition: autoRemove ? 'removed' : 'next-exit', signal });
    const over = new AbortController();
    const collected = collectOutput(session.output(), `run ${program.image}`).finally(() => over.abort());
    // If the start fails, that is what is told.
    collected.catch(() => {});
    await containers.start(id, { signal });
    return { session, ended, collected, over: over.signal };
  });
  const { session, ended, collected, over } = joined;
  const [output] = await Promise.all([collected, hasInput ? feedInput(session, stdin, over) : undefined]);
  return { id, warnings, ...output, exitCode: await exitCodeOf(containers, { id, ended }, signal) };
}

/** Not every engine removes a container that could not be started. */
async function removedIfFailing<T>(
  containers: ContainerGroup,
  { id, autoRemove }: { readonly id: string; readonly autoRemove: boolean },
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    // If even that fails, the engine has removed it or is about to: what is worth telling is why it did not start.
    if (autoRemove) await containers.remove(id, { force: true }).catch(() => {});
    throw error;
  }
}

/** How long the wait may take to answer after the output's end, before the container is looked at, and then again. */
const LOOK_MS_MIN = 1_000;
const LOOK_MS_MAX = 5_000;

/**
 * A program may end its output before it ends; and an engine that looks at its containers now and then, as Podman does, may miss a
 * short life, so that its wait never answers.
 */
async function exitCodeOf(
  containers: ContainerGroup,
  run: { readonly id: string; readonly ended: OpenWait },
  signal: AbortSignal,
): Promise<number> {
  const { id, ended } = run;
  for (let pauseMs = LOOK_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, LOOK_MS_MAX)) {
    const told = await settledWithin(ended.exitCode, pauseMs, signal);
    if (told !== undefined) return told;
    const state = await stateOf(containers, id, signal);
    if (state === 'removed') {
      const operation = `run ${id.slice(0, 12)}`;
      throw new SessionLostError(`The container was removed, and its exit code was not told (${operation})`, {
        operation,
      });
    }
    if (!state.Running && state.Pid === 0) return state.ExitCode;
  }
}

async function stateOf(containers: ContainerGroup, id: string, signal: AbortSignal): Promise<State | 'removed'> {
  try {
    return (await containers.inspect(id, { signal })).State;
  } catch (error) {
    if (error instanceof NotFoundError) return 'removed';
    throw error;
  }
}

function createBody({ image, command }: RunProgram, options: RunOptions): CreateBody {
  const { body = {}, stdin, autoRemove = false } = options;
  const input = stdin === undefined ? {} : { AttachStdin: true, OpenStdin: true, StdinOnce: true };
  return {
    ...body,
    ...input,
    Image: image,
    ...(command.length === 0 ? {} : { Cmd: command }),
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: { ...body.HostConfig, AutoRemove: autoRemove },
  };
}
