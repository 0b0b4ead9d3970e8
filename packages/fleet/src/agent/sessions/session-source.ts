import type { TerminalRect } from '@fairlead/protocol/fleet';

/** Some output of what a session shows: 1 is stdout, 2 is stderr. */
export interface SourceChunk {
  readonly stream: 1 | 2;
  readonly bytes: Uint8Array;
}

/** What a session shows and who may type into it: a program, a container's own streams, a log. */
export interface SessionSource extends AsyncDisposable {
  readonly tty: boolean;
  output(): AsyncIterable<SourceChunk>;
  /** Resolves when the bytes were taken. */
  write(bytes: Uint8Array): Promise<void>;
  endInput(): void;
  /** @throws Error that says why it was not done. */
  resize(size: TerminalRect): Promise<void>;
  /** Resolves when it was delivered. @throws Error that says why it was not. */
  signal(name: string): Promise<void>;
  /** Asked after the output's end; null: it has none. @throws when it cannot be known. */
  exitCode(): Promise<number | null>;
}
