import type { ContainerId } from '@fairlead/protocol';

/** Where a process wrote; with a terminal everything is stdout. */
export type OutputStream = 'stdout' | 'stderr';

/** One read from a process. `bytes` belongs to the receiver. */
export interface OutputChunk {
  readonly stream: OutputStream;
  readonly bytes: Uint8Array;
  /** May be called, once, by whoever needs `bytes` no more: their memory is then used for another read. */
  readonly release?: (() => void) | undefined;
}

/** Size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Two-way stream to a process: pulled on the way out, awaited on the way in.
 *
 * `output` ends when the process's side is closed; breaking off the iteration releases it. Not reading it makes the
 * process wait (after at most 1 MB held for this reader). Disposing frees every descriptor and does not end the process.
 */
export interface ConsoleConnection extends AsyncDisposable {
  readonly output: AsyncIterable<OutputChunk>;
  /** Resolves when the bytes were taken; a process that no longer reads swallows them silently. */
  write(bytes: Uint8Array): Promise<void>;
  /** End of input: the process reads EOF (a container's only if it was created with StdinOnce). Idempotent. */
  endInput(): Promise<void>;
}

/** What an attacher is up to. */
export interface AttachOptions {
  /** This attacher will not write: its leaving never ends the container's input. Default false. */
  readonly outputOnly?: boolean;
}

/** The stdio of containers, held by their monitors. */
export interface Console {
  /**
   * Attaches to a created or running container; all its output from now on arrives here.
   *
   * When an attacher that may write leaves, the input of a container with StdinOnce ends.
   * @throws EngineError 'not-found' when its monitor is gone.
   */
  attach(id: ContainerId, options?: AttachOptions): Promise<ConsoleConnection>;
  /** Sets the size of the container's terminal. Without a terminal nothing happens. */
  resize(id: ContainerId, size: TerminalSize): Promise<void>;
}
