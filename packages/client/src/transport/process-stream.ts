import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Duplex } from 'node:stream';

/** How much of what a program writes to standard error is kept: the end of it. */
export const STDERR_CHARS_MAX = 4_000;
/** How long a program may take to end by SIGTERM. */
const END_WITHIN_MS = 3_000;

/** How a program ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not even be started. */
  readonly error: Error | undefined;
}

/** A program whose standard input and output are a connection. */
export interface ConnectionProcess {
  /** `end()` closes the input. Its end is clean only when the program ended with 0. Destroying it ends the program. */
  readonly stream: Duplex;
  readonly ended: Promise<ProcessEnd>;
  /** The end of what it wrote to standard error so far. */
  stderr(): string;
}

/**
 * Makes a connection of a program. 'close' is emitted when the program is reaped.
 *
 * @param failure what the stream breaks with when the program ends in another way than with 0
 */
export function processStream(
  child: ChildProcessWithoutNullStreams,
  failure: (end: ProcessEnd, stderr: string) => Error,
): ConnectionProcess {
  const ended = endOf(child);
  const stderr = keepEnd(child);
  const { stdin, stdout } = child;
  const outputEnded = new Promise<void>((resolve) => void stdout.once('end', resolve).once('close', resolve));
  let isClosed = false;
  child.once('close', () => {
    isClosed = true;
  });
  const pull = (): void => {
    for (let bytes: unknown = stdout.read(); bytes !== null; bytes = stdout.read()) {
      if (!stream.push(bytes)) return;
    }
  };
  const stream = new Duplex({
    read: pull,
    write: (bytes: Uint8Array, _, done) => void stdin.write(bytes, done),
    final: (done) => void stdin.end(done),
    destroy: (error, done) => {
      if (isClosed) return done(error);
      child.once('close', () => done(error));
      // Somebody may wait for this and for nothing else.
      hold(child, 'ref');
      end(child);
      for (const part of [stdin, stdout, child.stderr]) part.destroy();
    },
  });
  stdout.on('readable', pull);
  // An input that nobody reads any more is told by the end of the program.
  for (const part of [stdin, stdout, child.stderr]) part.on('error', () => {});
  void Promise.all([ended, outputEnded]).then(([how]) => {
    if (how.code === 0) stream.push(null);
    else stream.destroy(failure(how, stderr()));
  });
  return { stream: withHold(stream, child), ended, stderr };
}

/** Resolves when the program is reaped, or could not be started. */
export function endOf(child: ChildProcessWithoutNullStreams): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal, error: undefined }));
  });
}

/** Ends a program, and resolves when it is reaped. */
export async function endAndReap(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const reaped = endOf(child);
  // Else a program that waits for nothing but this would end in the middle of it.
  hold(child, 'ref');
  end(child);
  await reaped;
}

/** Asks a program to end, and makes it. */
function end(child: ChildProcessWithoutNullStreams): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS).unref();
  child.once('exit', () => clearTimeout(timer));
}

/** Reads standard error while the program runs. */
export function keepEnd(child: ChildProcessWithoutNullStreams): () => string {
  let kept = '';
  child.stderr.setEncoding('utf8').on('readable', () => {
    for (let text: unknown = child.stderr.read(); typeof text === 'string'; text = child.stderr.read()) {
      kept = `${kept}${text}`.slice(-STDERR_CHARS_MAX);
    }
  });
  return () => kept.trim();
}

/** The program no longer keeps this process alive. */
export function letGo(child: ChildProcessWithoutNullStreams): void {
  hold(child, 'unref');
}

/** As with a socket, an idle connection need not keep the process alive. */
function withHold(stream: Duplex, child: ChildProcessWithoutNullStreams): Duplex {
  return Object.assign(stream, { ref: () => hold(child, 'ref'), unref: () => hold(child, 'unref') });
}

function hold(child: ChildProcessWithoutNullStreams, how: 'ref' | 'unref'): void {
  for (const one of [child, child.stdin, child.stdout, child.stderr]) {
    const method: unknown = Reflect.get(one, how);
    if (typeof method === 'function') Reflect.apply(method, one, []);
  }
}
