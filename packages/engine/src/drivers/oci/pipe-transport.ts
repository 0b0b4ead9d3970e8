import type { Duplex } from 'node:stream';
import type { OutputChunk, OutputStream } from '../../core/ports/console.ts';
import type { PipeReader } from '../../host/pipe-reader.ts';
import { EXEC_DRAIN_MS, type ExecTransport } from './exec-transport.ts';

/** After the cut is due, a reader that was slow still gets what waits in the pipe: it ends at the first pause this long. */
const CUT_PAUSE_MS = 50;
/** … or after this much, should a child never pause: more than the pipes hold together. */
const CUT_BYTES_MAX: number = 4 * 1024 * 1024;

interface Source {
  readonly stream: OutputStream;
  readonly pipe: PipeReader;
}

/** Our ends of an exec's pipes; undefined where it has none. */
export interface ExecPipes {
  readonly stdin: Duplex | undefined;
  readonly stdout: PipeReader | undefined;
  readonly stderr: PipeReader | undefined;
}

/**
 * Stdio over pipes, read only when pulled: a reader that stops makes the process wait once the pipes are full.
 *
 * Order is kept within a stream, not between the two.
 */
export class PipeTransport implements ExecTransport {
  readonly #stdin: Duplex | undefined;
  #sources: readonly Source[];
  #wake: (() => void) | undefined;
  #cut: 'no' | 'armed' | 'due' = 'no';
  #cutTimer: NodeJS.Timeout | undefined;
  #bytesAfterCut = 0;
  #discarding = false;

  constructor({ stdin, stdout, stderr }: ExecPipes) {
    this.#stdin = stdin;
    this.#sources = [...sourceOf('stdout', stdout), ...sourceOf('stderr', stderr)];
  }

  async next(): Promise<OutputChunk | undefined> {
    while (this.#sources.length > 0 && !this.#discarding) {
      const chunk = this.#take();
      if (chunk !== undefined) return chunk;
      if (this.#sources.length > 0 && !(await this.#readable())) this.close();
    }
    return undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const pipe = this.#stdin;
    if (pipe === undefined || !pipe.writable) return;
    await new Promise<void>((resolve) => {
      // A failed write means that nobody reads the pipe any more: the bytes are swallowed, as by a process that ignores them.
      const taken = (): void => {
        pipe.off('close', taken);
        resolve();
      };
      pipe.once('close', taken);
      pipe.write(bytes, taken);
    });
  }

  endInput(): void {
    this.#stdin?.end();
  }

  /** Pipes have no size. */
  resize(): void {}

  discard(): void {
    if (this.#discarding) return;
    this.#discarding = true;
    this.#stdin?.end();
    for (const { pipe } of this.#sources) pipe.discard(() => this.#ended(pipe));
    this.#wakeUp();
  }

  processEnded(): void {
    this.#stdin?.destroy();
    if (this.#cut !== 'no' || this.#sources.length === 0) return;
    this.#cut = 'armed';
    this.#cutTimer = setTimeout(() => {
      this.#cut = 'due';
      if (this.#discarding) this.close();
      this.#wakeUp();
    }, EXEC_DRAIN_MS);
  }

  close(): void {
    clearTimeout(this.#cutTimer);
    this.#stdin?.destroy();
    for (const { pipe } of this.#sources) pipe[Symbol.dispose]();
    this.#sources = [];
    this.#wakeUp();
  }

  /** What one of the pipes has, stdout first; undefined when neither has anything now. */
  #take(): OutputChunk | undefined {
    for (const { stream, pipe } of this.#sources) {
      const piece = pipe.read();
      if (piece.kind === 'ended') this.#ended(pipe);
      if (piece.kind !== 'bytes') continue;
      const { bytes, release } = piece;
      if (this.#cut === 'due') this.#countAfterCut(bytes.length);
      return { stream, bytes, release };
    }
    return undefined;
  }

  #countAfterCut(length: number): void {
    this.#bytesAfterCut += length;
    if (this.#bytesAfterCut > CUT_BYTES_MAX) this.close();
  }

  /** Waits until a pipe can be read or ended. @returns false when the cut is due and nothing comes. */
  async #readable(): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      const pause = this.#cut === 'due' ? setTimeout(() => resolve(false), CUT_PAUSE_MS) : undefined;
      this.#wake = () => {
        clearTimeout(pause);
        resolve(true);
      };
      for (const { pipe } of this.#sources) pipe.whenReadable(() => this.#wakeUp());
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #ended(pipe: PipeReader): void {
    this.#sources = this.#sources.filter((source) => source.pipe !== pipe);
    if (this.#sources.length === 0) clearTimeout(this.#cutTimer);
    this.#wakeUp();
  }
}

function sourceOf(stream: OutputStream, pipe: PipeReader | undefined): readonly Source[] {
  return pipe === undefined ? [] : [{ stream, pipe }];
}
