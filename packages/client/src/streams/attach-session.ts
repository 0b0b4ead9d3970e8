import type { HijackedSession, TerminalSize } from './hijacked-session.ts';
import type { OutputChunk } from './output-decoder.ts';

/** The standard streams of a container's first process. They are told apart by frames unless it has a terminal. */
export class AttachSession implements AsyncDisposable {
  readonly #session: HijackedSession;
  readonly #resize: (size: TerminalSize, signal: AbortSignal) => Promise<void>;

  constructor(session: HijackedSession, resize: (size: TerminalSize, signal: AbortSignal) => Promise<void>) {
    this.#session = session;
    this.#resize = resize;
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

  /** End of input; it reaches the process if the container was made with StdinOnce. */
  endInput(): void {
    this.#session.endInput();
  }

  resize(size: TerminalSize, signal: AbortSignal = new AbortController().signal): Promise<void> {
    return this.#resize(size, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }
}
