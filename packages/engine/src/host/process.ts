import { Socket } from 'node:net';
import { constants as osConstants } from 'node:os';
import type { Duplex } from 'node:stream';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';
import { atCheckpoint } from './fault-points.ts';
import {
  closeDescriptor,
  openPipe,
  pidfdSendSignal,
  Poll,
  READABLE,
  reapProcess,
  setPipeSize,
  spawnProcess,
} from './native.ts';

/** What one stream of a program may print before it is killed; 1 MiB is a thousand times what our tools answer. */
export const PROGRAM_OUTPUT_BYTES_MAX: number = 1024 * 1024;

/** How long a pipe may stay open after its program ended, because a grandchild inherited it, before we stop listening. */
export const PIPE_LINGER_MS = 250;

/** How a program ended. */
export interface ProgramExit {
  /** 0–255; 128 + signal number when a signal ended it. */
  readonly exitCode: number;
  /** `SIGKILL`, …: only when a signal ended it. */
  readonly signal: NodeJS.Signals | undefined;
}

export interface ProgramResult extends ProgramExit {
  /** Decoded as UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** When it aborts, the program is killed, waited for, and the call throws the signal's reason. */
  readonly signal: AbortSignal;
  readonly input?: Uint8Array | string;
  /** Default: the engine's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Per stream; the program is killed when it prints more. Default {@link PROGRAM_OUTPUT_BYTES_MAX}. */
  readonly outputBytesMax?: number;
}

/** A program that ended with something else than 0. */
export class ProgramFailedError extends Error {
  override readonly name = 'ProgramFailedError';
  readonly file: string;
  readonly args: readonly string[];
  readonly result: ProgramResult;

  constructor(file: string, args: readonly string[], result: ProgramResult) {
    const words = result.stderr.trim() || result.stdout.trim();
    super(`${file} ${args[0] ?? ''} ended with ${result.signal ?? result.exitCode}: ${words}`);
    this.file = file;
    this.args = args;
    this.result = result;
  }
}

/**
 * Runs a program to its end and collects what it printed. No shell; any exit code is a result.
 *
 * A grandchild that keeps the pipes open delays the result by {@link PIPE_LINGER_MS} at most.
 * @throws an errno error (`ENOENT`, `EACCES`, …) when it cannot be started; `signal.reason` when aborted;
 * EngineError 'internal' when it prints more than `outputBytesMax`.
 */
export async function runProgram(file: string, args: readonly string[], options: RunOptions): Promise<ProgramResult> {
  options.signal.throwIfAborted();
  await using program = await spawnProgram(file, args, {
    ...options,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const overflow = new AbortController();
  const scope = AbortSignal.any([options.signal, overflow.signal]);
  const kill = (): void => program.kill('SIGKILL');
  scope.addEventListener('abort', kill, { once: true });
  if (scope.aborted) kill();
  const bytesMax = options.outputBytesMax ?? PROGRAM_OUTPUT_BYTES_MAX;
  const tooMuch = (): void =>
    overflow.abort(new EngineError('internal', `${file} printed more than ${bytesMax} bytes`, { details: { args } }));
  const collected = [1, 2].map((index) => collect(program.pipes[index], bytesMax, tooMuch));
  feed(program.pipes[0], options.input);
  const exit = await atCheckpoint('process.end', () => program.exited);
  scope.removeEventListener('abort', kill);
  const linger = setTimeout(() => program.closePipes(), PIPE_LINGER_MS);
  const [stdout = '', stderr = ''] = await Promise.all(collected);
  clearTimeout(linger);
  scope.throwIfAborted();
  return { ...exit, stdout, stderr };
}

/**
 * Runs a program that must succeed.
 * @returns its standard output.
 * @throws ProgramFailedError when it does not end with 0; else as {@link runProgram}.
 */
export async function runOrThrow(file: string, args: readonly string[], options: RunOptions): Promise<string> {
  const result = await runProgram(file, args, options);
  if (result.exitCode !== 0) throw new ProgramFailedError(file, args, result);
  return result.stdout;
}

/**
 * One descriptor of the program.
 *
 * - `ignore`: /dev/null. - `inherit`: the engine's own of the same number.
 * - `pipe`: a real pipe, which the program may open again by /dev/stdout; 0 is written by us, all others are read.
 * - `pipe-in`: the same, written by us, for numbers above 2.
 * - a number: this descriptor of ours, which stays ours to close.
 */
export type ProgramStdio = 'ignore' | 'inherit' | 'pipe' | 'pipe-in' | number;

export interface SpawnOptions {
  /** By descriptor number: 0, 1, 2, 3 …. What is not listed is closed in the program. */
  readonly stdio: readonly ProgramStdio[];
  /** Default: the engine's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Kernel buffer of every pipe; default 64 KiB. Where the kernel refuses so much, the default stays. */
  readonly pipeBytes?: number;
  /** Give it a session of its own, so that a terminal's Ctrl-C does not reach it. */
  readonly detached?: boolean;
}

/** A running program. Disposing kills it if it still runs, waits for its end and frees every descriptor. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** By descriptor number; undefined where `stdio` asked for no pipe. Streams with backpressure both ways. */
  readonly pipes: readonly (Duplex | undefined)[];
  /** Resolves when the process ended; its pipes may still hold output. Never rejects. */
  readonly exited: Promise<ProgramExit>;
  /** Nothing happens when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Closes our ends of all pipes, throwing away what was not read. */
  closePipes(): void;
  /** Lets the engine exit while it runs. */
  unref(): void;
}

/**
 * Starts a program. The engine's thread waits for execve(2), a fraction of a millisecond: docs/adr/0004-spawning.md.
 * @throws an errno error (`ENOENT`, `EACCES`, …) when it cannot be started; no descriptor is left behind then.
 */
export async function spawnProgram(file: string, args: readonly string[], options: SpawnOptions): Promise<Program> {
  const theirs: number[] = [];
  const pipes: (Socket | undefined)[] = [];
  try {
    const descriptors = options.stdio.map((entry, index): number => {
      if (entry === 'ignore') return NULL_DEVICE;
      if (entry === 'inherit') return index;
      if (typeof entry === 'number') return entry;
      const ends = openPipe();
      if (options.pipeBytes !== undefined) widen(ends.write, options.pipeBytes);
      const weWrite = entry === 'pipe-in' || index === 0;
      theirs.push(weWrite ? ends.read : ends.write);
      pipes[index] = weWrite ? writingEnd(ends.write) : readingEnd(ends.read);
      return weWrite ? ends.read : ends.write;
    });
    const started = atCheckpoint('process.spawn', () => startProcess(file, args, { ...options, descriptors }));
    return programOf(pipes, started);
  } catch (error) {
    for (const pipe of pipes) pipe?.destroy();
    throw error;
  } finally {
    for (const descriptor of theirs) closeDescriptor(descriptor);
  }
}

function widen(fd: number, bytes: number): void {
  try {
    setPipeSize(fd, bytes);
  } catch (error) {
    // Over fs.pipe-max-size, or the user has used up fs.pipe-user-pages-soft: slower, not wrong.
    if (!isErrno(error, 'EPERM')) throw error;
  }
}

/** A net.Socket reads and writes pipes on the event loop, without a thread, and stops reading when it is not read. */
function readingEnd(fd: number): Socket {
  const socket = new Socket({ fd, readable: true, writable: false });
  // A pipe whose other end died is an end, and the program's exit says why.
  return socket.on('error', () => {});
}

function writingEnd(fd: number): Socket {
  const socket = new Socket({ fd, readable: false, writable: true });
  return socket.on('error', () => {});
}

interface ProcessOptions extends Pick<SpawnOptions, 'env' | 'cwd' | 'detached'> {
  readonly descriptors: readonly number[];
}

/** Instead of a descriptor of ours. */
const NULL_DEVICE = -1;
/** 0, 1 and 2 are always there: a program takes what it opens first for its output otherwise. */
const STANDARD_STREAMS = 3;

function startProcess(file: string, args: readonly string[], options: ProcessOptions): StartedProcess {
  const environment = options.env ?? process.env;
  const missing = Math.max(0, STANDARD_STREAMS - options.descriptors.length);
  return spawnProcess(filesOf(file, environment['PATH']), [file, ...args], {
    env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    cwd: options.cwd,
    descriptors: [...options.descriptors, ...Array.from({ length: missing }, () => NULL_DEVICE)],
    session: options.detached ?? false,
  });
}

/** Where execvp(3) looks when there is no $PATH. */
const DEFAULT_PATH = '/bin:/usr/bin';

/** A name with a slash is a path; others are looked for where the program's own environment says. */
function filesOf(file: string, path = DEFAULT_PATH): readonly string[] {
  if (file.includes('/')) return [file];
  return path.split(':').map((directory) => (directory === '' ? file : `${directory}/${file}`));
}

interface StartedProcess {
  readonly pid: number;
  readonly pidfd: number;
}

/** Owns the pidfd; a child of ours is collected as soon as it ended, whoever listens. */
function programOf(pipes: readonly (Socket | undefined)[], { pid, pidfd }: StartedProcess): Program {
  const { promise: exited, resolve } = Promise.withResolvers<ProgramExit>();
  let running = true;
  const poll = new Poll(pidfd, () => {
    const end = reapProcess(pidfd);
    if (end === undefined) return;
    running = false;
    poll.close();
    closeDescriptor(pidfd);
    resolve(exitOf(end));
  });
  poll.watch(READABLE);
  const kill = (signal: NodeJS.Signals): void => {
    if (running) sendSignal(pidfd, osConstants.signals[signal]);
  };
  const closePipes = (): void => {
    for (const pipe of pipes) pipe?.destroy();
  };
  return {
    pid,
    pipes,
    exited,
    kill,
    closePipes,
    unref: () => poll.unref(),
    async [Symbol.asyncDispose]() {
      kill('SIGKILL');
      await exited;
      closePipes();
    },
  };
}

function sendSignal(pidfd: number, signal: number): void {
  try {
    pidfdSendSignal(pidfd, signal);
  } catch (error) {
    // It has ended, and we have not heard of it yet.
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** The common name of each number: `SIGABRT` comes before its synonym `SIGIOT`. */
const SIGNAL_NAMES: ReadonlyMap<number, NodeJS.Signals> = new Map(
  Object.keys(osConstants.signals)
    .filter((name): name is NodeJS.Signals => name in osConstants.signals)
    .toReversed()
    .map((name) => [osConstants.signals[name], name]),
);

function exitOf({ code, signal }: { readonly code: number; readonly signal: number }): ProgramExit {
  // Real-time signals have no name.
  return signal === 0
    ? { exitCode: code, signal: undefined }
    : { exitCode: 128 + signal, signal: SIGNAL_NAMES.get(signal) };
}

/** Reads a pipe to its end, or until it is closed here. Beyond `bytesMax` it reads on, so that the program can end. */
async function collect(pipe: Duplex | undefined, bytesMax: number, onTooMuch: () => void): Promise<string> {
  if (pipe === undefined) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of pipe) {
      if (!(chunk instanceof Uint8Array)) continue;
      length += chunk.length;
      if (length > bytesMax) onTooMuch();
      else chunks.push(chunk);
    }
  } catch (error) {
    // Closed while a grandchild still held it: what came is the answer.
    if (!isErrno(error, 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function feed(pipe: Duplex | undefined, input: Uint8Array | string | undefined): void {
  if (pipe === undefined || input === undefined) return;
  pipe.end(input);
}
