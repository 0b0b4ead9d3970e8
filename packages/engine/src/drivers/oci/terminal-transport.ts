import type { OutputChunk, TerminalSize } from '../../core/ports/console.ts';
import { DescriptorClosedError, type DescriptorStream } from '../../host/descriptor-stream.ts';
import { isErrno } from '../../host/errno.ts';
import { resizeTerminal, terminalStream } from '../../host/terminal.ts';
import { EXEC_DRAIN_MS, type ExecTransport } from './exec-transport.ts';

/**
 * Stdio over a pseudo-terminal whose master we hold. All output is `stdout`. A terminal has no end of input.
 *
 * The kernel hangs the terminal up when the session's first process ends, so output ends then even if children live on.
 */
export class TerminalTransport implements ExecTransport {
  readonly #master: DescriptorStream;
  readonly #chunks: AsyncIterator<Uint8Array, unknown>;
  #cutTimer: NodeJS.Timeout | undefined;
  #discarding = false;
  #processEnded = false;

  /** Owns `masterFd`. */
  constructor(masterFd: number) {
    this.#master = terminalStream(masterFd);
    this.#chunks = this.#master[Symbol.asyncIterator]();
  }

  async next(): Promise<OutputChunk | undefined> {
    if (this.#discarding) return undefined;
    const bytes = await this.#pull();
    if (bytes !== undefined && !this.#discarding) return { stream: 'stdout', bytes };
    if (bytes === undefined && this.#processEnded) this.close();
    return undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#master.write(bytes);
    } catch (error) {
      // Hung up: nobody reads it any more.
      if (!(error instanceof DescriptorClosedError) && !isErrno(error, 'EIO')) throw error;
    }
  }

  endInput(): void {}

  resize(size: TerminalSize): void {
    resizeTerminal(this.#master, size);
  }

  /** The master stays open until the process ends: closing it would hang up on a shell that is to live on. */
  discard(): void {
    if (this.#discarding) return;
    this.#discarding = true;
    if (this.#processEnded) return this.close();
    void this.#throwAway();
  }

  processEnded(): void {
    this.#processEnded = true;
    if (this.#discarding || this.#master.closed) return this.close();
    this.#cutTimer = setTimeout(() => {
      if (!this.#master.ended) this.#master.stopReading();
    }, EXEC_DRAIN_MS);
  }

  close(): void {
    clearTimeout(this.#cutTimer);
    this.#master.close();
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const result = await this.#chunks.next();
    return result.done === true ? undefined : result.value;
  }

  async #throwAway(): Promise<void> {
    while ((await this.#pull()) !== undefined);
    if (this.#processEnded) this.close();
  }
}
