import type { Duplex } from 'node:stream';
import { EngineError } from '@fairlead/protocol';
import type { CreateProcess, CreatedProcess, ProcessRef } from '../../core/ports/container-runtime.ts';
import { readTextIfExists } from '../../host/files.ts';
import { findProcess, signalProcess, waitForProcessEnd } from '../../host/proc.ts';
import { spawnProgram, type Program } from '../../host/process.ts';
import { writeMonitor, type Bundle } from './bundle.ts';
import { globalArguments, RUNTIME_CALL_MS, RUNTIME_ENVIRONMENT, type RuntimeCommand } from './runtime-command.ts';
import { runtimeFailure } from './runtime-failure.ts';

const SIGKILL = 9;
/** How long a monitor may stay after its container is gone; it needs some milliseconds to drain and to write two files. */
export const MONITOR_END_MS = 2_000;
/** conmon sends one line of at most 8 KiB (its BUF_SIZE) of the runtime's words, each escaped to six characters at most. */
const SYNC_BYTES_MAX: number = 64 * 1024;
const REPORT_BYTES_MAX: number = 64 * 1024;
/** The descriptor on which conmon tells the pid. */
const SYNC_FD = 3;

export interface MonitorDeps {
  /** conmon. */
  readonly monitorPath: string;
  readonly command: RuntimeCommand;
  readonly exitsDirectory: string;
}

/**
 * Starts conmon on a written bundle; it makes the container's process and stays with it.
 *
 * conmon has a session of its own, no descriptor of the engine but the two pipes it closes, and does not notice when the
 * engine dies. It is not double-forked (`--sync`), which saves a fork and a pid file: the engine, or init after it, reaps it.
 * @throws EngineError in Docker's words, see {@link runtimeFailure}; 'unavailable' when conmon itself fails.
 */
export async function startMonitor(deps: MonitorDeps, bundle: Bundle, request: CreateProcess): Promise<CreatedProcess> {
  const conmon = await spawnConmon(deps, bundle, request);
  conmon.unref();
  const monitor = findProcess(conmon.pid);
  const remembered = monitor === undefined ? undefined : writeMonitor(bundle, monitor);
  // Awaited below, after conmon has spoken.
  remembered?.catch(() => {});
  try {
    const told = await withinBound(readSync(conmon), conmon);
    await remembered;
    const process = told.pid > 0 ? findProcess(told.pid) : undefined;
    if (monitor !== undefined && process !== undefined) return { process: { ...process }, monitor: { ...monitor } };
    await Promise.allSettled([conmon.exited, remembered]);
    throw await failureOf(bundle, request, told.words);
  } finally {
    conmon.closePipes();
  }
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

async function spawnConmon(deps: MonitorDeps, bundle: Bundle, request: CreateProcess): Promise<Program> {
  try {
    return await spawnProgram(deps.monitorPath, monitorArguments(deps, bundle, request), {
      cwd: bundle.directory,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // conmon makes its console socket in TMPDIR; relative to the bundle, the path is never too long for a socket.
      env: { ...RUNTIME_ENVIRONMENT, TMPDIR: '.', _OCI_SYNCPIPE: String(SYNC_FD) },
    });
  } catch (cause) {
    throw new EngineError('unavailable', `container monitor ${deps.monitorPath} could not be run`, { cause });
  }
}

function monitorArguments(deps: MonitorDeps, bundle: Bundle, request: CreateProcess): readonly string[] {
  return [
    ...['--cid', bundle.id, '--cuuid', bundle.id, '--name', bundle.id],
    ...['--bundle', bundle.directory, '--full-attach', '--container-pidfile', bundle.pidPath],
    // In the persist directory conmon makes a file when the kernel kills for want of memory: one watch sees both.
    ...['--exit-dir', deps.exitsDirectory, '--persist-dir', deps.exitsDirectory],
    ...['--log-path', request.logged ? `k8s-file:${bundle.logPath}` : 'none'],
    // Without the second, conmon syncs the log to disk before it tells the exit: tens of milliseconds on a busy disk.
    ...['--sync', '--no-sync-log', '--log-level', 'error'],
    ...['--runtime', deps.command.runPath()],
    ...globalArguments(deps.command, bundle.runtimeLogPath).flatMap((argument) => ['--runtime-arg', argument]),
    ...(request.tty ? ['--terminal'] : []),
    ...(request.openStdin ? ['--stdin'] : []),
    ...(request.openStdin && !request.stdinOnce ? ['--leave-stdin-open'] : []),
  ];
}

interface Told {
  /** Of the container's first process; 0 or less when there is none. */
  readonly pid: number;
  readonly words: string;
}

/** conmon writes `{"pid": 123}`, or `{"pid": -1, "message": "…"}`, or ends without a word and says why on stderr. */
async function readSync(conmon: Program): Promise<Told> {
  const [, , stderr, sync] = conmon.pipes;
  // It fails when our own end is closed because nobody needs the words any more.
  const complaint = readAll(stderr).catch(() => '');
  const line = await readLine(sync);
  const told = parseSync(line);
  if (told !== undefined) return told;
  return { pid: 0, words: [line, await complaint].join('\n').trim() };
}

function parseSync(line: string): Told | undefined {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    // conmon does not escape everything it should; then the words are as good as they are.
    return undefined;
  }
  if (typeof document !== 'object' || document === null || !('pid' in document)) return undefined;
  const words = 'message' in document ? String(document.message) : '';
  return { pid: Number(document.pid), words };
}

async function readLine(pipe: Duplex | undefined): Promise<string> {
  let text = '';
  if (pipe === undefined) return text;
  for await (const chunk of pipe) {
    text += String(chunk);
    if (text.includes('\n') || text.length > SYNC_BYTES_MAX) break;
  }
  return text;
}

async function readAll(pipe: Duplex | undefined): Promise<string> {
  let text = '';
  if (pipe === undefined) return text;
  for await (const chunk of pipe) if (text.length < REPORT_BYTES_MAX) text += String(chunk);
  return text;
}

async function withinBound(told: Promise<Told>, conmon: Program): Promise<Told> {
  const late = setTimeout(() => conmon.kill('SIGKILL'), RUNTIME_CALL_MS);
  try {
    return await told;
  } finally {
    clearTimeout(late);
  }
}

async function failureOf(bundle: Bundle, request: CreateProcess, words: string): Promise<EngineError> {
  const log = await readTextIfExists(bundle.runtimeLogPath, REPORT_BYTES_MAX);
  const report = log === undefined || log.trim() === '' ? words : log;
  return runtimeFailure(report, { operation: 'create', program: request.spec.process.args[0] ?? '' });
}
