import { isEngineError } from '@fairlead/protocol';
import { byteChunks } from '../call.ts';
import { connectionLost, ProtocolError } from '../errors.ts';
import { type OutputChunk, OutputDecoder } from './output-decoder.ts';
import type { HijackedAnswer } from '../transport/http-connections.ts';

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * The two-way stream of an attach or an exec.
 *
 * Output is pulled: who stops reading makes the process wait. Disposing frees the connection; the process goes on.
 */
export class HijackedSession implements AsyncDisposable {
  /** Output comes as it is, one stream for everything; else it comes in frames. */
  readonly tty: boolean;
  readonly #connection: HijackedAnswer;
  readonly #operation: string;

  constructor(connection: HijackedAnswer, session: { readonly tty: boolean; readonly operation: string }) {
    this.#connection = connection;
    this.#operation = session.operation;
    this.tty = session.tty;
    // A connection that breaks is told to whoever reads or writes; without a listener it would end the process.
    connection.input.on('error', () => {});
    connection.output.on('error', () => {});
  }

  /**
   * What the process writes, until the engine ends the stream.
   *
   * @throws ConnectionLostError when it ends in the middle, ProtocolError when it is not framed as it should be.
   */
  async *output(): AsyncGenerator<OutputChunk, void, undefined> {
    const output = new OutputDecoder(!this.tty);
    try {
      for await (const bytes of byteChunks(this.#connection.output)) yield* output.push(bytes);
      output.end();
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** Resolves when the bytes were taken by the connection. A process that no longer reads swallows them silently. */
  write(bytes: Uint8Array): Promise<void> {
    const { input } = this.#connection;
    return new Promise((resolve, reject) => {
      if (input.destroyed || input.writableEnded) return resolve();
      input.write(bytes, (error) => {
        if (error === null || error === undefined || isGone(error)) resolve();
        else reject(connectionLost(this.#operation, error));
      });
    });
  }

  /** End of input: half-closes the connection, output goes on. With a terminal most engines close the whole stream. */
  endInput(): void {
    this.#connection.input.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.output.destroy();
    this.#connection.input.destroy();
  }

  /** The stream stopped in the middle, or holds what it should not. */
  #failure(cause: unknown): Error {
    if (!isEngineError(cause) || cause.kind === 'unavailable') return connectionLost(this.#operation, cause);
    return new ProtocolError(`${this.#operation}: ${cause.message}`, { operation: this.#operation, cause });
  }
}

/** The engine closed its reading side: the process is gone or does not listen. */
function isGone(error: Error): boolean {
  return (
    'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_DESTROYED')
  );
}
