import type { OutputChunk, TerminalSize } from '../../core/ports/console.ts';

/**
 * How long output may still come after the main process ended, when a child holds the other end; then it is cut.
 * Source: engine-api 5.4; containerd waits as long.
 */
export const EXEC_DRAIN_MS = 2_000;

/** The stdio of one exec, pipes or a terminal, between the engine and the runtime's process. */
export interface ExecTransport {
  /** Pulls the next piece; undefined when there will be no more. One caller at a time. */
  next(): Promise<OutputChunk | undefined>;
  /** Resolves when the bytes were taken, or when nobody will take them any more. */
  write(bytes: Uint8Array): Promise<void>;
  endInput(): void;
  resize(size: TerminalSize): void;
  /** Nobody reads any more: what comes is thrown away, so that the process never waits and never gets SIGPIPE. */
  discard(): void;
  /** The process ended: output ends at its end or after {@link EXEC_DRAIN_MS}, and every descriptor is freed then. */
  processEnded(): void;
  /** Frees every descriptor now. */
  close(): void;
}
