import { EngineError } from '@fairlead/protocol';
import type { CreateProcess, CreatedProcess, ProcessRef } from '../../core/ports/container-runtime.ts';
import { containerKeeperPath } from '../../host/native-programs.ts';
import { findProcess, signalProcess, waitForProcessEnd } from '../../host/proc.ts';
import { spawnProgram, type Program } from '../../host/process.ts';
import { ReportPipe } from '../../host/report-pipe.ts';
import { writeMonitor, type Bundle } from './bundle.ts';
import { parseKeeperReport } from './keeper-report.ts';
import { globalArguments, RUNTIME_CALL_MS, RUNTIME_ENVIRONMENT, type RuntimeCommand } from './runtime-command.ts';
import { runtimeFailure } from './runtime-failure.ts';

const SIGKILL = 9;
/** How long a monitor may stay after its container is gone; it needs some milliseconds to drain and to write a file. */
export const MONITOR_END_MS = 2_000;
/** Of what a runtime says about a start that failed. */
const REPORT_BYTES_MAX: number = 64 * 1024;
/** The descriptor on which the keeper, and the runtime before it, tell how it went. */
const REPORT_PATH = '/proc/self/fd/3';

export interface MonitorDeps {
  readonly command: RuntimeCommand;
  readonly exitsDirectory: string;
  /** Directory of the container's group where its memory is limited; undefined where nothing limits it. */
  readonly memoryGroup: string | undefined;
}

/**
 * Starts a container's monitor on a written bundle; it makes the container's process and stays with it.
 *
 * It has a session of its own, no descriptor of the engine but the pipe it closes, and does not notice when the engine dies:
 * the engine, or init after it, reaps it. What it does is in native/programs/container-keeper.
 * @throws EngineError in Docker's words, see {@link runtimeFailure}; 'unavailable' when the monitor itself cannot be run.
 */
export async function startMonitor(deps: MonitorDeps, bundle: Bundle, request: CreateProcess): Promise<CreatedProcess> {
  const told = Promise.withResolvers<number | undefined>();
  using report = new ReportPipe(REPORT_BYTES_MAX, (text) => {
    const { pid } = parseKeeperReport(text);
    if (pid !== undefined) told.resolve(pid);
  });
  const keeper = await spawnKeeper(keeperArguments(deps, bundle, request), bundle.directory, report);
  keeper.unref();
  void keeper.exited.then(() => told.resolve(parseKeeperReport(report.takeText()).pid));
  const monitor = findProcess(keeper.pid);
  const remembered = monitor === undefined ? undefined : writeMonitor(bundle, monitor);
  // Awaited below, after the keeper has spoken.
  remembered?.catch(() => {});
  const pid = await withinBound(told.promise, keeper);
  await remembered;
  const process = pid === undefined ? undefined : findProcess(pid);
  if (monitor !== undefined && process !== undefined) return { process: { ...process }, monitor: { ...monitor } };
  await keeper.exited;
  const { log } = parseKeeperReport(report.takeText());
  throw runtimeFailure(log, { operation: 'create', program: request.spec.process.args[0] ?? '' });
}

/** Waits for a monitor whose container is gone; kills it when it stays longer than {@link MONITOR_END_MS}. */
export async function endMonitor(monitor: ProcessRef): Promise<void> {
  const bound = AbortSignal.timeout(MONITOR_END_MS);
  try {
    await waitForProcessEnd(monitor, bound);
  } catch (error) {
    if (!bound.aborted) throw error;
    signalProcess(monitor, SIGKILL);
    await confirmEnd(monitor);
  }
}

async function confirmEnd(monitor: ProcessRef): Promise<void> {
  try {
    await waitForProcessEnd(monitor, AbortSignal.timeout(MONITOR_END_MS));
  } catch (cause) {
    throw new EngineError('internal', `container monitor ${monitor.pid} does not end after SIGKILL`, { cause });
  }
}

async function spawnKeeper(args: readonly string[], cwd: string, report: ReportPipe): Promise<Program> {
  const path = containerKeeperPath();
  try {
    const keeper = await spawnProgram(path, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', report.writeEnd],
      env: RUNTIME_ENVIRONMENT,
    });
    report.handedOver();
    return keeper;
  } catch (cause) {
    throw new EngineError('unavailable', `container monitor ${path} could not be run`, { cause });
  }
}

function keeperArguments(deps: MonitorDeps, bundle: Bundle, request: CreateProcess): readonly string[] {
  return [
    ...['--id', bundle.id, '--bundle', bundle.directory, '--exits', deps.exitsDirectory],
    ...(request.logged ? ['--log', bundle.logPath] : []),
    ...(deps.memoryGroup === undefined ? [] : ['--memory-group', deps.memoryGroup]),
    ...(request.tty ? ['--terminal'] : []),
    ...(request.openStdin ? ['--stdin', request.stdinOnce ? 'once' : 'kept'] : []),
    ...['--', deps.command.runPath(), ...createArguments(deps.command, bundle, request)],
  ];
}

/** Relative to the bundle, no path is too long for a socket. */
function createArguments(command: RuntimeCommand, bundle: Bundle, request: CreateProcess): readonly string[] {
  return [
    ...globalArguments(command, REPORT_PATH),
    ...['create', `--bundle=${bundle.directory}`, '--pid-file=pidfile'],
    ...(request.tty ? ['--console-socket=console'] : []),
    bundle.id,
  ];
}

async function withinBound<T>(told: Promise<T>, keeper: Program): Promise<T> {
  const late = setTimeout(() => keeper.kill('SIGKILL'), RUNTIME_CALL_MS);
  try {
    return await told;
  } finally {
    clearTimeout(late);
  }
}
