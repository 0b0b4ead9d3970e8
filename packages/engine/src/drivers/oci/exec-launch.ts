import type { ContainerId } from '@fairlead/protocol';
import type { ExecRequest } from '../../core/ports/container-runtime.ts';
import type { OciProcess } from '../../core/spec/oci.ts';
import { execKeeperPath } from '../../host/native-programs.ts';
import { spawnProgram, type Program, type SpawnOptions } from '../../host/process.ts';
import { DescriptorListener } from '../../host/terminal.ts';
import type { ExecFiles, ExecPaths } from './exec-files.ts';
import type { ExecTransport } from './exec-transport.ts';
import { PipeTransport } from './pipe-transport.ts';
import { globalArguments, RUNTIME_CALL_MS, RUNTIME_ENVIRONMENT, type RuntimeCommand } from './runtime-command.ts';
import { TerminalTransport } from './terminal-transport.ts';

/** Kernel buffer of an exec's pipes: with the default of 64 KiB, output is a third slower. */
const PIPE_BYTES: number = 256 * 1024;

export interface LaunchDeps {
  readonly command: RuntimeCommand;
  readonly files: ExecFiles;
}

export interface LaunchedExec {
  /** The keeper: it ends with the exit code of the program that was started, or of the runtime when that failed. */
  readonly program: Program;
  /** Undefined when it ended without making a terminal: then the start failed. */
  readonly transport: ExecTransport | undefined;
}

/** The document for `exec --process`. */
export function execProcess({ process, tty, size }: ExecRequest): OciProcess {
  const consoleSize = tty && size !== undefined ? { consoleSize: { height: size.rows, width: size.columns } } : {};
  return { ...process, terminal: tty, ...consoleSize };
}

/** Runs `exec` of the runtime with its stdio in our hands. @throws an errno error when it cannot be run. */
export async function launchExec(deps: LaunchDeps, request: ExecRequest, paths: ExecPaths): Promise<LaunchedExec> {
  return request.tty ? await launchOnTerminal(deps, request, paths) : await launchOnPipes(deps, request, paths);
}

async function launchOnPipes({ command }: LaunchDeps, request: ExecRequest, paths: ExecPaths): Promise<LaunchedExec> {
  const program = await startExec(command, execArguments(command, { id: request.id, paths, more: [] }), {
    pidPath: paths.pid,
    stdio: [request.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    pipeBytes: PIPE_BYTES,
  });
  const [stdin, stdout, stderr] = program.pipes;
  return { program, transport: new PipeTransport({ stdin, stdout, stderr }) };
}

/** The runtime makes the terminal in the container and sends us its master. */
async function launchOnTerminal(deps: LaunchDeps, request: ExecRequest, paths: ExecPaths): Promise<LaunchedExec> {
  const { command, files } = deps;
  using listener = new DescriptorListener(paths.consoleSocket);
  const more = ['--tty', `--console-socket=${paths.consoleSocket}`];
  const program = await startExec(command, execArguments(command, { id: request.id, paths, more }), {
    pidPath: paths.pid,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const failed = new AbortController();
  // A program that ran and ended at once has sent its terminal all the same.
  void program.exited
    .then(() => files.pidOf(request.execId))
    .catch(() => undefined)
    .then((pid) => {
      if (pid === undefined) failed.abort();
    });
  try {
    const { fd } = await listener.receive(AbortSignal.any([failed.signal, AbortSignal.timeout(RUNTIME_CALL_MS)]));
    const transport = new TerminalTransport(fd);
    // crun has done so before the program ran; runc leaves the size to us.
    if (request.size !== undefined) transport.resize(request.size);
    return { program, transport };
  } catch (error) {
    if (failed.signal.aborted) return { program, transport: undefined };
    program.kill('SIGKILL');
    return await rejectAfter(program, error);
  }
}

/** The runtime runs detached, under a keeper that gives the program our descriptors, collects its code and all zombies. */
async function startExec(
  command: RuntimeCommand,
  args: readonly string[],
  options: Pick<SpawnOptions, 'stdio' | 'pipeBytes'> & { readonly pidPath: string },
): Promise<Program> {
  const { pidPath, ...streams } = options;
  // A session of its own: Ctrl-C on the engine's terminal is for the engine.
  const all = { ...streams, env: RUNTIME_ENVIRONMENT, detached: true };
  return await spawnProgram(execKeeperPath(), [pidPath, command.path, ...args], all);
}

interface ExecCall {
  readonly id: ContainerId;
  readonly paths: ExecPaths;
  readonly more: readonly string[];
}

function execArguments(command: RuntimeCommand, { id, paths, more }: ExecCall): readonly string[] {
  return [
    ...globalArguments(command, paths.log),
    ...['exec', '--detach', `--process=${paths.process}`, `--pid-file=${paths.pid}`],
    ...more,
    id,
  ];
}

async function rejectAfter(program: Program, error: unknown): Promise<never> {
  await program.exited;
  throw error;
}
