import { constants, openSync, unlinkSync } from 'node:fs';
import { DescriptorStream } from './descriptor-stream.ts';
import { isErrno } from './errno.ts';
import {
  acceptConnection,
  closeDescriptor,
  listenStream,
  openTerminal,
  Poll,
  readDescriptor,
  READABLE,
  receiveDescriptor,
  setNonBlocking,
  setWindowSize,
  writeDescriptor,
} from './native.ts';

/** The kernel hands out at most one page of a terminal's output at a time. */
const TERMINAL_READ_BYTES_MAX = 4096;

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Takes over the master side of a pseudo-terminal. Its output ends when the last program closed the other side.
 *
 * Closing it hangs up: the programs on it get SIGHUP. A terminal has no half-close; `endWrite` does nothing.
 */
export function terminalStream(fd: number): DescriptorStream {
  setNonBlocking(fd);
  return new DescriptorStream(fd, {
    readBytesMax: TERMINAL_READ_BYTES_MAX,
    read: (into, offset, length) => readOrEnd(fd, into, { offset, length }),
    write: (from, offset, length) => writeDescriptor(fd, from, offset, length),
    endWrite: undefined,
  });
}

/** Both sides of a pseudo-terminal, the caller's to close (the master by its stream). */
export interface TerminalPair {
  readonly master: number;
  /** A program's 0, 1 and 2. The terminal's output ends only after this one is closed too. */
  readonly slave: number;
}

/** Makes a pseudo-terminal. @throws an errno error; nothing is left open then. */
export function openTerminalPair(size: WindowSize | undefined): TerminalPair {
  const { fd: master, path } = openTerminal();
  try {
    if (size !== undefined) setWindowSize(master, size.rows, size.columns);
    return { master, slave: openSync(path, constants.O_RDWR | constants.O_NOCTTY) };
  } catch (error) {
    closeDescriptor(master);
    throw error;
  }
}

/** Sets rows and columns (0–65535); the foreground programs get SIGWINCH. Closed or hung up: nothing happens. */
export function resizeTerminal(terminal: DescriptorStream, size: WindowSize): void {
  if (terminal.closed) return;
  try {
    setWindowSize(terminal.fd, size.rows, size.columns);
  } catch (error) {
    if (!isErrno(error, 'EIO')) throw error;
  }
}

/** Linux tells a master by EIO that nobody has the other side open any more. */
function readOrEnd(fd: number, into: Uint8Array, at: { readonly offset: number; readonly length: number }): number {
  try {
    return readDescriptor(fd, into, at.offset, at.length);
  } catch (error) {
    if (isErrno(error, 'EIO')) return 0;
    throw error;
  }
}

export interface ReceivedDescriptor {
  /** The receiver's to close. */
  readonly fd: number;
  /** The text that came with it: crun and runc send the terminal's name. */
  readonly name: string;
}

/**
 * Waits on a Unix socket for one descriptor (SCM_RIGHTS), as an OCI runtime's `--console-socket` sends it.
 *
 * Listens when constructed. Disposing stops, removes the socket file, and closes what came and nobody took.
 */
export class DescriptorListener implements Disposable {
  readonly #path: string;
  readonly #outcome = Promise.withResolvers<ReceivedDescriptor>();
  #source: { readonly poll: Poll; readonly fd: number } | undefined;
  #untaken: ReceivedDescriptor | undefined;
  #disposed = false;

  /** @throws an errno error: 'EADDRINUSE', 'ENOENT'. */
  constructor(path: string) {
    this.#path = path;
    this.#outcome.promise.catch(() => {});
    this.#listen(listenStream(path), () => this.#accept());
  }

  /** Resolves once; the descriptor is the caller's then. @throws signal.reason; an errno error when the sender left without one. */
  async receive(signal: AbortSignal): Promise<ReceivedDescriptor> {
    const abort = (): void => this.#outcome.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const received = await this.#outcome.promise;
      this.#untaken = undefined;
      return received;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#stop();
    if (this.#untaken !== undefined) closeDescriptor(this.#untaken.fd);
    this.#outcome.reject(new Error(`stopped listening on ${this.#path}`));
    try {
      unlinkSync(this.#path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  #listen(fd: number, onReadable: () => void): void {
    try {
      const poll = new Poll(fd, () => this.#attempt(onReadable));
      this.#source = { poll, fd };
      poll.watch(READABLE);
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#stop();
      this.#outcome.reject(error);
    }
  }

  #accept(): void {
    if (this.#source === undefined) return;
    const connection = acceptConnection(this.#source.fd);
    if (connection < 0) return;
    this.#stop();
    this.#listen(connection, () => this.#take());
  }

  #take(): void {
    if (this.#source === undefined) return;
    const received = receiveDescriptor(this.#source.fd);
    if (received === undefined) return;
    this.#stop();
    this.#untaken = received;
    this.#outcome.resolve(received);
  }

  #stop(): void {
    this.#source?.poll.close();
    if (this.#source !== undefined) closeDescriptor(this.#source.fd);
    this.#source = undefined;
  }
}
