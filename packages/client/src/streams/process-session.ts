import { type Asking, byteChunks } from '../call.ts';
import { connectionLost } from '../errors.ts';
import { type OutputChunk, OutputDecoder } from './output-decoder.ts';
import { streamFailure } from './stream-failure.ts';
import type { LocalTerminal, PipeEnd, PipeOptions, TerminalSize } from './terminal.ts';
import type { HijackedAnswer } from '../transport/http-connections.ts';

/** What a session is, beside its connection. Its signal ends it: reading and writing reject with the reason. */
export interface SessionTraits extends Asking {
  /** Output comes as it is, one stream for everything; else it comes in frames. */
  readonly tty: boolean;
  /** The process was given an input that we hold. */
  readonly stdin: boolean;
  /** What a person types to leave it; empty or absent: ctrl-p,ctrl-q. */
  readonly detachKeys?: string | undefined;
  readonly resize: (size: TerminalSize, signal: AbortSignal) => Promise<void>;
}

/**
 * The streams of a process in a container, in our hands: an attach or an exec.
 *
 * Output is pulled: who stops reading makes the process wait. Disposing frees the connection; the process goes on.
 */
export class ProcessSession implements AsyncDisposable {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly #connection: HijackedAnswer;
  readonly #traits: SessionTraits;

  constructor(connection: HijackedAnswer, traits: SessionTraits) {
    this.#connection = connection;
    this.#traits = traits;
    this.tty = traits.tty;
    this.stdin = traits.stdin;
    // A connection that breaks is told to whoever reads or writes; without a listener it would end the process.
    connection.input.on('error', () => {});
    connection.output.on('error', () => {});
    const { signal } = traits;
    const abort = (): void => this.#release();
    signal.addEventListener('abort', abort, { once: true });
    connection.output.once('close', () => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  }

  /**
   * What the process writes, until the engine ends the stream. Breaking off the iteration frees the connection.
   *
   * @throws as `streamFailure`: ConnectionLostError when it ends in the middle, ProtocolError when it is not framed as it should be.
   */
  async *output(): AsyncGenerator<OutputChunk, void, undefined> {
    const output = new OutputDecoder({ framed: !this.tty });
    this.#traits.signal.throwIfAborted();
    try {
      for await (const bytes of byteChunks(this.#connection.output))
        for (const chunk of output.push(bytes)) yield chunk;
      output.end();
    } catch (cause) {
      throw streamFailure(this.#traits, cause);
    }
  }

  /** Resolves when the bytes were taken by the connection. A process that no longer reads swallows them silently. */
  write(bytes: Uint8Array): Promise<void> {
    const { input } = this.#connection;
    return new Promise((resolve, reject) => {
      if (this.#traits.signal.aborted) return reject(this.#traits.signal.reason);
      if (input.destroyed || input.writableEnded) return resolve();
      input.write(bytes, (error) => {
        if (error === null || error === undefined || isGone(error)) resolve();
        else reject(connectionLost(this.#traits.operation, error));
      });
    });
  }

  /**
   * End of input: half-closes the connection, output goes on. A container's own process sees it only if it was made with
   * StdinOnce. With a terminal most engines close the whole stream.
   */
  endInput(): void {
    this.#connection.input.end();
  }

  /** Tells the process's terminal its size. @throws RequestFailedError when it does not run. */
  resize(size: TerminalSize, signal: AbortSignal = new AbortController().signal): Promise<void> {
    return this.#traits.resize(size, signal);
  }

  /** Joins the session to a terminal or to pipes, `process` fits. @throws as `pipeTerminal`. */
  async pipeTerminal(local: LocalTerminal, options: PipeOptions = {}): Promise<PipeEnd> {
    // Loaded when it is asked for: most programs have no terminal.
    const { pipeTerminal } = await import('./terminal.ts');
    const { stdin, detachKeys } = this.#traits;
    return await pipeTerminal(this, local, { stdin, detachKeys, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release();
  }

  #release(): void {
    this.#connection.output.destroy();
    this.#connection.input.destroy();
  }
}

/** The engine closed its reading side: the process is gone or does not listen. */
function isGone(error: Error): boolean {
  return (
    'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_DESTROYED')
  );
}
