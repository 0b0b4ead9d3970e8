import { DetachKeyMatcher, EngineError, parseDetachKeys } from '@fairlead/protocol';
import type { Readable, Writable } from 'node:stream';
import type { OutputChunk } from './output-decoder.ts';
import { writeAll } from './write-all.ts';

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** A process's streams at the far end: an attach or an exec. */
export interface TerminalSession {
  readonly tty: boolean;
  output(): AsyncIterable<OutputChunk>;
  write(bytes: Uint8Array): Promise<void>;
  endInput(): void;
  resize(size: TerminalSize, signal?: AbortSignal): Promise<void>;
}

/** What somebody sits at: `process` fits. */
export interface LocalTerminal {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly rows?: number; readonly columns?: number };
  readonly stderr: Writable;
}

export interface PipeOptions {
  /** Sends local input; else the session's input is ended at once. A session knows whether its process has one. */
  readonly stdin?: boolean;
  /** `ctrl-p,ctrl-q` when absent; only heard at a terminal. */
  readonly detachKeys?: string | undefined;
  /** Called when the first sizes could not be told to the engine; the terminal then keeps its default. */
  readonly onResizeFailed?: (error: unknown) => void;
  /** Shows the screen of a program that is running already: resizes once more, so that it draws itself again. */
  readonly redraw?: boolean;
  /** The session to come has no process yet: sizes are told when this resolves. */
  readonly started?: Promise<unknown>;
}

/** Why the piping ended: the engine ended the stream, or the person typed the detach keys. */
export type PipeEnd = 'stream-ended' | 'detached';

/** The first resize may come before the process is there. Source: docker/cli container/tty.go, initTtySize. */
const FIRST_RESIZE_TRIES = 10;
const FIRST_RESIZE_STEP_MS = 10;

/**
 * Joins a session to a terminal (or to pipes) until either side ends.
 *
 * With a terminal at both ends: raw mode, SIGWINCH becomes a resize, the detach keys leave the process running. The
 * terminal is put back on every way out, also when the process exits or is asked to end in the middle. All output is
 * written before it resolves.
 * @throws EngineError 'invalid-argument' when the far end is a terminal and ours is none; what the session's output throws.
 */
export async function pipeTerminal(
  session: TerminalSession,
  local: LocalTerminal,
  options: PipeOptions,
): Promise<PipeEnd> {
  const { stdin = false } = options;
  const raw = session.tty && stdin;
  if (raw && local.stdin.isTTY !== true) throw new EngineError('invalid-argument', 'the input device is not a TTY');
  await using undo = new AsyncDisposableStack();
  const over = new AbortController();
  undo.defer(() => over.abort());
  const matcher = raw ? new DetachKeyMatcher(parseDetachKeys(options.detachKeys ?? '')) : undefined;
  if (raw) undo.use(rawMode(local.stdin));
  if (session.tty && local.stdout.isTTY === true)
    undo.use(followSize(session, local.stdout, { ...options, over: over.signal }));
  const input = stdin ? sendInput(session, { stdin: local.stdin, matcher, over: over.signal }) : endAtOnce(session);
  return await Promise.race([showOutput(session, local), input]);
}

/** What ends a process that does not listen for it, in the middle of raw mode. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

/**
 * Raw mode until disposed; also undone when the process exits or dies of a signal before that.
 *
 * Node's raw mode still puts a carriage return before every line feed of the output, which garbles full-screen programs:
 * `stty` switches that off where it is installed. What is put back is the state that Node saved, which has it.
 */
function rawMode(stdin: LocalTerminal['stdin']): Disposable {
  const restore = (): void => {
    process.off('exit', restore);
    for (const signal of ENDING_SIGNALS) process.off(signal, die);
    stdin.setRawMode?.(false);
  };
  const die = (signal: NodeJS.Signals): void => {
    // Who else listens decides what the signal means, for instance that the far end gets it.
    if (process.listenerCount(signal) > 1) return;
    restore();
    process.kill(process.pid, signal);
  };
  stdin.setRawMode?.(true);
  process.once('exit', restore);
  for (const signal of ENDING_SIGNALS) process.on(signal, die);
  if (stdin === process.stdin) {
    // Looked up here, because only terminals need it and loading it takes 3 ms.
    const { spawnSync } = process.getBuiltinModule('node:child_process');
    spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  }
  return { [Symbol.dispose]: restore };
}

async function showOutput(session: TerminalSession, local: LocalTerminal): Promise<PipeEnd> {
  for await (const { stream, bytes } of session.output()) {
    await writeAll(stream === 'stderr' ? local.stderr : local.stdout, bytes);
  }
  return 'stream-ended';
}

/** Only resolves when the keys were typed: the end of input does not end the session. */
async function sendInput(
  session: TerminalSession,
  input: { readonly stdin: Readable; readonly matcher: DetachKeyMatcher | undefined; readonly over: AbortSignal },
): Promise<PipeEnd> {
  for await (const bytes of inputUntil(input.stdin, input.over)) {
    const match = input.matcher?.push(bytes) ?? { pass: [bytes], detached: false };
    for (const part of match.pass) await session.write(part);
    if (match.detached) return 'detached';
  }
  if (!input.over.aborted) session.endInput();
  return await new Promise<never>(() => {});
}

async function endAtOnce(session: TerminalSession): Promise<never> {
  session.endInput();
  return await new Promise<never>(() => {});
}

/** Reads without owning the stream: when `over` aborts, reading stops and the stream is left as it was. */
async function* inputUntil(stdin: Readable, over: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    while (!over.aborted) {
      const chunk: unknown = stdin.read();
      if (chunk instanceof Uint8Array) yield chunk;
      else if (typeof chunk === 'string') yield Buffer.from(chunk);
      else if (stdin.readableEnded || stdin.destroyed) return;
      else await readableOrOver(stdin, over);
    }
  } finally {
    stopReading(stdin);
  }
}

/** Else a terminal that nobody reads keeps the process alive. A stream does not pause while it takes itself to be listened to. */
function stopReading(stdin: Readable): void {
  setImmediate(() => {
    if (stdin.listenerCount('readable') + stdin.listenerCount('data') === 0) stdin.pause();
  });
}

function readableOrOver(stdin: Readable, over: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      stdin.off('readable', settle).off('end', settle).off('close', settle).off('error', settle);
      over.removeEventListener('abort', done);
      if (error instanceof Error) reject(error);
      else resolve();
    };
    const done = (): void => settle();
    stdin.on('readable', settle).on('end', settle).on('close', settle).on('error', settle);
    over.addEventListener('abort', done, { once: true });
  });
}

interface SizeOptions extends PipeOptions {
  readonly over: AbortSignal;
}

/** Tells the session the terminal's size: at the start, and whenever it changes. */
function followSize(session: TerminalSession, stdout: LocalTerminal['stdout'], options: SizeOptions): Disposable {
  const size = (): TerminalSize => ({ rows: stdout.rows ?? 0, columns: stdout.columns ?? 0 });
  // One at a time: two on their way at once may arrive in the other order, and the older size would stay.
  let telling: Promise<void> = (options.started ?? Promise.resolve())
    .then(() => firstSize(session, size, options))
    .catch((error: unknown) => {
      if (!options.over.aborted) options.onResizeFailed?.(error);
    });
  let waiting = false;
  const tell = (): void => {
    if (waiting) return;
    waiting = true;
    telling = telling
      .then(() => {
        waiting = false;
        return session.resize(size(), options.over);
      })
      // The process has ended meanwhile, or the connection has: the session itself tells of either.
      .catch(() => {});
  };
  // Node turns SIGWINCH into this event, after it has asked the terminal for its new size.
  stdout.on('resize', tell);
  return { [Symbol.dispose]: () => void stdout.off('resize', tell) };
}

async function firstSize(session: TerminalSession, size: () => TerminalSize, options: SizeOptions): Promise<void> {
  const { rows, columns } = size();
  if (rows === 0 && columns === 0) return;
  if (options.redraw === true) await session.resize({ rows: rows + 1, columns: columns + 1 }, options.over);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await session.resize(size(), options.over);
    } catch (error) {
      if (attempt === FIRST_RESIZE_TRIES || options.over.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * FIRST_RESIZE_STEP_MS));
    }
  }
}
