import type { ExecRequest } from '../../core/ports/container-runtime.ts';
import type { OciProcess } from '../../core/spec/oci.ts';
import { removeFile } from '../../host/files.ts';
import { MemoryFile } from '../../host/memory-file.ts';
import { execKeeperPath } from '../../host/native-programs.ts';
import { PipeReader } from '../../host/pipe-reader.ts';
import { spawnProgram, type Program, type SpawnOptions } from '../../host/process.ts';
import { ReportPipe } from '../../host/report-pipe.ts';
import { DescriptorListener } from '../../host/terminal.ts';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import type { ExecFiles, ExecPaths } from './exec-files.ts';
import { parseKeeperReport } from './keeper-report.ts';
import type { ExecTransport } from './exec-transport.ts';
import { PipeTransport } from './pipe-transport.ts';
import { globalArguments, RUNTIME_CALL_MS, RUNTIME_ENVIRONMENT, type RuntimeCommand } from './runtime-command.ts';
import { TerminalTransport } from './terminal-transport.ts';

/** Kernel buffer of an exec's pipes: with the default of 64 KiB, output is a third slower. */
const PIPE_BYTES: number = 256 * 1024;
/** Of what a runtime says about a start that failed. */
const REPORT_BYTES_MAX: number = 64 * 1024;
/** The descriptors that runtime and keeper have beside the program's three. */
const REPORT_PATH = '/proc/self/fd/3';
const DOCUMENT_PATH = '/proc/self/fd/4';

export interface LaunchDeps {
  readonly command: RuntimeCommand;
  readonly files: ExecFiles;
}

export interface LaunchedExec {
  /** The keeper: it ends with the exit code of the program that was started, or of the runtime when that failed. */
  readonly program: Program;
  /** Undefined when it ended without making a terminal: then the start failed. */
  readonly transport: ExecTransport | undefined;
  /** What the keeper tells, see {@link parseKeeperReport}. Whoever has the launch closes it. */
  readonly report: ReportPipe;
}

/** The document for `exec --process`. */
export function execProcess({ process, tty, size }: ExecRequest): OciProcess {
  const consoleSize = tty && size !== undefined ? { consoleSize: { height: size.rows, width: size.columns } } : {};
  return { ...process, terminal: tty, ...consoleSize };
}

/**
 * Runs `exec` of the runtime with its stdio in our hands; `onPid` is called once the program runs.
 * @throws an errno error when it cannot be run.
 */
export async function launchExec(
  deps: LaunchDeps,
  request: ExecRequest,
  onPid: (pid: number) => void,
): Promise<LaunchedExec> {
  const report = new ReportPipe(REPORT_BYTES_MAX, (text) => {
    const { pid } = parseKeeperReport(text);
    if (pid !== undefined) onPid(pid);
  });
  try {
    const launch = { deps, request, report, paths: deps.files.pathsOf(request.execId) };
    return request.tty ? await launchOnTerminal(launch) : await launchOnPipes(launch);
  } catch (error) {
    report[Symbol.dispose]();
    throw error;
  }
}

interface Launch {
  readonly deps: LaunchDeps;
  readonly request: ExecRequest;
  readonly report: ReportPipe;
  readonly paths: ExecPaths;
}

async function launchOnPipes(launch: Launch): Promise<LaunchedExec> {
  const { stdin, detached } = launch.request;
  const input = stdin && !detached ? 'pipe' : 'ignore';
  const [stdout, stderr] = detached ? [] : [new PipeReader(PIPE_BYTES), new PipeReader(PIPE_BYTES)];
  try {
    const program = await startExec(launch, [], [input, stdout?.writeEnd ?? 'ignore', stderr?.writeEnd ?? 'ignore']);
    for (const reader of [stdout, stderr]) reader?.handedOver();
    const transport = new PipeTransport({ stdin: program.pipes[0], stdout, stderr });
    return { program, report: launch.report, transport };
  } catch (error) {
    for (const reader of [stdout, stderr]) reader?.[Symbol.dispose]();
    throw error;
  }
}

/** The runtime makes the terminal in the container and sends us its master. */
async function launchOnTerminal(launch: Launch): Promise<LaunchedExec> {
  const { request, report, paths } = launch;
  using listener = new DescriptorListener(paths.consoleSocket);
  const more = ['--tty', `--console-socket=${paths.consoleSocket}`];
  const program = await startExec(launch, more, ['ignore', 'ignore', 'ignore']);
  const failed = new AbortController();
  const bound = AbortSignal.timeout(RUNTIME_CALL_MS);
  const hasFailed = (): boolean => parseKeeperReport(report.takeText()).pid === undefined;
  // A program that ran and ended at once has sent its terminal all the same.
  void program.exited.then(() => {
    if (hasFailed()) failed.abort();
  });
  try {
    const { fd } = await listener.receive(AbortSignal.any([failed.signal, bound]));
    const transport = new TerminalTransport(fd);
    // crun sets it, too, when the program may run already; runc leaves it to us.
    if (request.size !== undefined) transport.resize(request.size);
    return { program, report, transport };
  } catch (error) {
    // The runtime hung up without a terminal, because the container ended meanwhile: its report says so.
    const isOver = await waitOrAbort(program.exited, bound).then(
      () => true,
      () => false,
    );
    if (isOver && hasFailed()) return { program, report, transport: undefined };
    program.kill('SIGKILL');
    await program.exited;
    await removeFile(paths.pid);
    throw error;
  }
}

/** The runtime runs detached, under a keeper that gives the program our descriptors, collects its code and all zombies. */
async function startExec(
  { deps, request, report, paths }: Launch,
  more: readonly string[],
  stdio: SpawnOptions['stdio'],
): Promise<Program> {
  const { command } = deps;
  using document = new MemoryFile('exec-process', JSON.stringify(execProcess(request)));
  const args = [...execArguments(command, paths), ...more, request.id];
  const program = await spawnProgram(execKeeperPath(), [paths.pid, command.runPath(), ...args], {
    stdio: [...stdio, report.writeEnd, document.fd],
    pipeBytes: PIPE_BYTES,
    env: RUNTIME_ENVIRONMENT,
    // A session of its own: Ctrl-C on the engine's terminal is for the engine.
    detached: true,
  });
  report.handedOver();
  return program;
}

function execArguments(command: RuntimeCommand, paths: ExecPaths): readonly string[] {
  return [
    ...globalArguments(command, REPORT_PATH),
    ...['exec', '--detach', `--process=${DOCUMENT_PATH}`, `--pid-file=${paths.pid}`],
  ];
}
