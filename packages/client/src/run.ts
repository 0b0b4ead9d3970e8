import type { ContainerGroup, CreateBody } from './groups/containers.ts';
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
  await using session = await containers.attach(id, { stdin: hasInput, stdout: true, stderr: true, tty, signal });
  const ended = await containers.openWait(id, { condition: autoRemove ? 'removed' : 'next-exit', signal });
  const over = new AbortController();
  const collected = collectOutput(session.output(), `run ${program.image}`).finally(() => over.abort());
  collected.catch(() => {});
  await start(containers, id, options);
  const [output] = await Promise.all([collected, hasInput ? feedInput(session, stdin, over.signal) : undefined]);
  return { id, warnings, ...output, exitCode: await ended.exitCode };
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

/** Not every engine removes a container that could not be started. */
async function start(containers: ContainerGroup, id: string, options: RunOptions): Promise<void> {
  try {
    await containers.start(id, options);
  } catch (error) {
    // If even that fails, the engine has removed it or is about to: what is worth telling is why it did not start.
    if (options.autoRemove === true) await containers.remove(id, { force: true }).catch(() => {});
    throw error;
  }
}
