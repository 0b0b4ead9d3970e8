import type { Duplex } from 'node:stream';

/** A way to an engine. The fleet's tunnel and the in-process engine are two more. */
export interface Transport {
  /**
   * Opens one connection. `end()` on it is a half-close: the other direction stays open until the engine ends it.
   *
   * @throws EngineUnreachableError when it cannot be opened; the signal's reason when aborted.
   */
  dial(signal: AbortSignal): Promise<Duplex>;
  /** The address as a person would write it: `unix:///run/fairlead/fairlead.sock`. */
  describe(): string;
  /** Frees what the connections shared, after the last of them; called by the client that uses it. */
  [Symbol.asyncDispose]?(): Promise<void>;
}
