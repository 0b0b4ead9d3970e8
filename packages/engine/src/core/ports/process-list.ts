/** The host's `ps`. */
export interface ProcessList {
  /**
   * Runs `ps` with these arguments for these pids.
   * @returns its whole output, title line first. @throws EngineError 'internal' with its error text.
   */
  ps(args: readonly string[], pids: readonly number[]): Promise<string>;
}
