import { ProtocolError } from './errors.ts';
import type { ContainerGroup, CreateBody } from './groups/containers.ts';
import { EXEC_OUTPUT_BYTES_MAX } from './groups/exec.ts';
import { type Listening, signalOf } from './groups/group.ts';
import type { AttachSession } from './streams/attach-session.ts';

export interface RunOptions extends Listening {
  readonly name?: string;
  /** Removes the container afterwards. */
  readonly autoRemove?: boolean;
  /** Everything else of the engine's create. */
  readonly body?: CreateBody;
}

/** What a container's program left. */
export interface RunResult {
  readonly id: string;
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly warnings: readonly string[];
}

/**
 * Runs a container to its end. The attach and the wait are open before the start, so nothing is missed.
 *
 * @throws RequestFailedError when it cannot be made or started, ProtocolError when it writes more than
 * `EXEC_OUTPUT_BYTES_MAX`, SessionLostError when the engine knows no exit code.
 */
export async function runContainer(
  containers: ContainerGroup,
  program: { readonly image: string; readonly command: readonly string[] },
  options: RunOptions,
): Promise<RunResult> {
  const { name, autoRemove = false, body = {} } = options;
  const signal = signalOf(options);
  const created = await containers.create(
    {
      ...body,
      Image: program.image,
      Cmd: program.command,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: { ...body.HostConfig, AutoRemove: autoRemove },
    },
    { name, signal },
  );
  const { Id: id, Warnings: warnings } = created;
  await using session = await containers.attach(id, { stdout: true, stderr: true, tty: body.Tty === true, signal });
  session.endInput();
  const ended = await containers.openWait(id, { condition: autoRemove ? 'removed' : 'next-exit', signal });
  await containers.start(id, { signal });
  const output = await gather(session, program.image);
  return { id, warnings, ...output, exitCode: await ended.exitCode };
}

async function gather(
  session: AttachSession,
  image: string,
): Promise<{ readonly stdout: Buffer; readonly stderr: Buffer }> {
  const chunks = { stdout: new Array<Uint8Array>(), stderr: new Array<Uint8Array>() };
  let held = 0;
  for await (const { stream, bytes } of session.output()) {
    held += bytes.byteLength;
    if (held > EXEC_OUTPUT_BYTES_MAX)
      throw new ProtocolError('too much output to hold: attach', { operation: `run ${image}` });
    chunks[stream].push(bytes);
  }
  return { stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) };
}
