import type { ExecInspect } from '@fairlead/protocol';
import { SessionLostError } from '../errors.ts';
import type { HijackedSession, TerminalSize } from './hijacked-session.ts';
import type { OutputChunk } from './output-decoder.ts';

/** What an exec session asks of the engine beside its stream. */
export interface ExecControl {
  readonly inspect: (signal: AbortSignal) => Promise<ExecInspect>;
  readonly resize: (size: TerminalSize, signal: AbortSignal) => Promise<void>;
}

/** A program started in a running container, with its stream in our hands. */
export class ExecSession implements AsyncDisposable {
  readonly id: string;
  readonly #session: HijackedSession;
  readonly #control: ExecControl;

  constructor(id: string, session: HijackedSession, control: ExecControl) {
    this.id = id;
    this.#session = session;
    this.#control = control;
  }

  get tty(): boolean {
    return this.#session.tty;
  }

  /** @throws as `HijackedSession.output`. */
  output(): AsyncIterable<OutputChunk> {
    return this.#session.output();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#session.write(bytes);
  }

  endInput(): void {
    this.#session.endInput();
  }

  /** Tells the program's terminal its size. @throws RequestFailedError when the program has ended. */
  resize(size: TerminalSize, signal: AbortSignal = new AbortController().signal): Promise<void> {
    return this.#control.resize(size, signal);
  }

  /**
   * The program's exit code, to be asked after the output's end: engines store it before they end the stream.
   *
   * @throws SessionLostError when the engine knows none, so that nobody takes it for 0.
   */
  async exitCode(signal: AbortSignal = new AbortController().signal): Promise<number> {
    const { ExitCode, Running } = await this.#control.inspect(signal);
    if (ExitCode !== null && !Running) return ExitCode;
    const why = Running ? 'the program still runs' : 'the engine has no exit code';
    throw new SessionLostError(`The session's stream ended, and ${why} (exec ${this.id.slice(0, 12)})`, {
      operation: `exec ${this.id.slice(0, 12)}`,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }
}
