import { closeDescriptor, pidfdOpen, pidfdSendSignal, Poll, READABLE } from './native.ts';
import { isErrno } from './errno.ts';
import { atCheckpoint } from './fault-points.ts';
import { listDirectory, readTextIfExists } from './files.ts';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A /proc/PID/stat line is under 1 KiB; comm is at most 64 bytes. */
const STAT_BYTES_MAX = 4096;
/** Four million pids (the kernel's own limit) of eight characters each. */
const CGROUP_PROCS_BYTES_MAX: number = 32 * 1024 * 1024;

/** A process of the host, named for ever: pids are reused, a pid with its start time is not. */
export interface HostProcess {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  readonly startTicks: number;
}

/** `zombie`: it ended, and its parent has not collected it yet. */
export type ProcessPresence = 'running' | 'zombie' | 'gone';

export interface ProcessStat extends HostProcess {
  /** The program's name, cut to 15 bytes by the kernel; may hold spaces and parentheses. */
  readonly command: string;
  /** `R`, `S`, `D`, `Z`, `T`, `t`, `X`, `I`. */
  readonly state: string;
  readonly parentPid: number;
}

/** Parses /proc/PID/stat. Undefined when it is not such a line. Source: proc(5). */
export function parseStat(line: string): ProcessStat | undefined {
  // The name is in parentheses and may contain any character, also ") R 1": the last parenthesis ends it.
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = line.slice(close + 2).split(' ');
  const pid = Number(line.slice(0, open));
  const startTicks = Number(fields[19]);
  const parentPid = Number(fields[1]);
  const state = fields[0];
  if (state === undefined || ![pid, startTicks, parentPid].every(Number.isSafeInteger)) return undefined;
  return { pid, command: line.slice(open + 1, close), state, parentPid, startTicks };
}

/** Reads what the kernel says about a pid; undefined when there is no such process. Costs some 20 µs, without a thread. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1').slice(0, STAT_BYTES_MAX));
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** Names the process that has this pid now. Undefined when there is none; a zombie is one. */
export function findProcess(pid: number): HostProcess | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks };
}

/** Whether exactly this process is still there. */
export function processPresence(process: HostProcess): ProcessPresence {
  const stat = readStat(process.pid);
  if (stat === undefined || stat.startTicks !== process.startTicks) return 'gone';
  return stat.state === 'Z' || stat.state === 'X' ? 'zombie' : 'running';
}

/**
 * Delivers a signal to exactly this process and never to another that got its pid.
 * @returns `gone` when it has ended; a zombie is gone.
 * @throws an errno error: 'EPERM', 'EINVAL' for a signal that does not exist.
 */
export function signalProcess(process: HostProcess, signal: number): 'sent' | 'gone' {
  const pidfd = openProcess(process);
  if (pidfd === undefined) return 'gone';
  try {
    if (processPresence(process) !== 'running') return 'gone';
    atCheckpoint('process.signal', () => pidfdSendSignal(pidfd, signal));
    return 'sent';
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return 'gone';
    throw error;
  } finally {
    closeDescriptor(pidfd);
  }
}

/**
 * Waits, without polling, until exactly this process has ended (it may still be a zombie). Gone already: at once.
 * @throws signal.reason when aborted first.
 */
export async function waitForProcessEnd(process: HostProcess, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const pidfd = openProcess(process);
  if (pidfd === undefined) return;
  const ended = Promise.withResolvers<void>();
  const abort = (): void => ended.reject(signal.reason);
  const poll = new Poll(pidfd, () => ended.resolve());
  signal.addEventListener('abort', abort, { once: true });
  try {
    poll.watch(READABLE);
    await ended.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    poll.close();
    closeDescriptor(pidfd);
  }
}

/** Calls `onEnded` once when exactly this process has ended; at the next turn if it has already. Disposing forgets it. */
export function onProcessEnd(process: HostProcess, onEnded: () => void): Disposable {
  const pidfd = openProcess(process);
  if (pidfd === undefined) {
    const turn = setImmediate(onEnded);
    return { [Symbol.dispose]: () => clearImmediate(turn) };
  }
  let open = true;
  const poll = new Poll(pidfd, () => {
    close();
    onEnded();
  });
  const close = (): void => {
    if (!open) return;
    open = false;
    poll.close();
    closeDescriptor(pidfd);
  };
  poll.watch(READABLE);
  poll.unref();
  return { [Symbol.dispose]: close };
}

/** Host pids in one cgroup directory (not in those below it), in the kernel's order; none when it does not exist. */
export async function readCgroupPids(directory: string): Promise<readonly number[]> {
  const text = await readTextIfExists(`${directory}/cgroup.procs`, CGROUP_PROCS_BYTES_MAX);
  return (text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

/** Pids of all processes of the host. */
export async function listPids(): Promise<readonly number[]> {
  const names = await listDirectory('/proc');
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/**
 * Processes whose command line is accepted: for what an engine that died has left running. Costs some 20 µs for each process
 * of the host, without a thread.
 */
export function findPrograms(accepts: (words: readonly string[]) => boolean): readonly HostProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const words = commandLineOf(name);
    // A zombie has no command line any more.
    return words.length > 0 && accepts(words) ? (findProcess(Number(name)) ?? []) : [];
  });
}

function commandLineOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  }
}

/** A pidfd of exactly this process: opened first and compared afterwards, so that a reused pid is noticed. */
function openProcess(process: HostProcess): number | undefined {
  let pidfd: number;
  try {
    pidfd = pidfdOpen(process.pid);
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EINVAL')) return undefined;
    throw error;
  }
  if (processPresence(process) !== 'gone') return pidfd;
  closeDescriptor(pidfd);
  return undefined;
}

/** Open descriptors of this process. */
export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** What a process executes, as the kernel names the file; undefined when it is gone. */
export function executableOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES')) return undefined;
    throw error;
  }
}
