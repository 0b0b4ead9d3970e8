import type { ExecRequest } from '../../core/ports/container-runtime.ts';
import type { OciProcess } from '../../core/spec/oci.ts';
import { spawnProgram, type Program } from '../../host/process.ts';
import { DescriptorListener } from '../../host/terminal.ts';
import { spawnOnTerminal } from '../../host/terminal-program.ts';
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
  /** The runtime in the foreground: it ends with the exit code of the program. */
  readonly program: Program;
  /** Undefined when it ended without making a terminal: then the start failed. */
  readonly transport: ExecTransport | undefined;
}

/** The document for `exec --process`. crun sets the terminal's size before the program runs, runc copies its own. */
export function execProcess({ process, tty, size }: ExecRequest): OciProcess {
  const consoleSize = tty && size !== undefined ? { consoleSize: { height: size.rows, width: size.columns } } : {};
  return { ...process, terminal: tty, ...consoleSize };
}

/** Runs `exec` of the runtime with its stdio in our hands. @throws an errno error when it cannot be run. */
export async function launchExec(deps: LaunchDeps, request: ExecRequest, paths: ExecPaths): Promise<LaunchedExec> {
  if (!request.tty) return await launchOnPipes(deps, request, paths);
  return deps.command.dialect === 'crun'
    ? await launchByConsoleSocket(deps, request, paths)
    : await launchOnTerminal(deps, request, paths);
}

async function launchOnPipes({ command }: LaunchDeps, request: ExecRequest, paths: ExecPaths): Promise<LaunchedExec> {
  const program = await spawnProgram(command.path, execArguments(command, request, paths), {
    stdio: [request.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: RUNTIME_ENVIRONMENT,
    pipeBytes: PIPE_BYTES,
  });
  const [stdin, stdout, stderr] = program.pipes;
  return { program, transport: new PipeTransport({ stdin, stdout, stderr }) };
}

/** crun makes the terminal in the container and sends us its master. */
async function launchByConsoleSocket(deps: LaunchDeps, request: ExecRequest, paths: ExecPaths): Promise<LaunchedExec> {
  const { command, files } = deps;
  using listener = new DescriptorListener(paths.consoleSocket);
  const program = await spawnProgram(
    command.path,
    execArguments(command, request, paths, ['--tty', `--console-socket=${paths.consoleSocket}`]),
    { stdio: ['ignore', 'ignore', 'ignore'], env: RUNTIME_ENVIRONMENT },
  );
  const failed = new AbortController();
  void program.exited.then(async () => {
    // A program that ran and ended at once has sent its terminal all the same.
    if ((await files.pidOf(request.execId)) === undefined) failed.abort();
  });
  try {
    const { fd } = await listener.receive(AbortSignal.any([failed.signal, AbortSignal.timeout(RUNTIME_CALL_MS)]));
    return { program, transport: new TerminalTransport(fd) };
  } catch (error) {
    if (!failed.signal.aborted) program.kill('SIGKILL');
    return failed.signal.aborted ? { program, transport: undefined } : await rejectAfter(program, error);
  }
}

/** runc takes a console socket only when it detaches, and then nobody learns the exit code: it copies from our terminal. */
async function launchOnTerminal({ command }: LaunchDeps, request: ExecRequest, paths: ExecPaths): Promise<LaunchedExec> {
  const { program, master } = await spawnOnTerminal(command.path, execArguments(command, request, paths, ['--tty']), {
    env: RUNTIME_ENVIRONMENT,
    size: request.size,
  });
  // It is not the terminal's session leader, so the kernel does not tell it.
  return { program, transport: new TerminalTransport(master, () => program.kill('SIGWINCH')) };
}

function execArguments(
  command: RuntimeCommand,
  { id }: ExecRequest,
  paths: ExecPaths,
  more: readonly string[] = [],
): readonly string[] {
  return [
    ...globalArguments(command, paths.log),
    ...['exec', `--process=${paths.process}`, `--pid-file=${paths.pid}`],
    ...more,
    id,
  ];
}

async function rejectAfter(program: Program, error: unknown): Promise<never> {
  await program.exited;
  throw error;
}
