import type { Command } from '../command.ts';

/** One line of the command list. The command itself is loaded when it is called. */
export interface CatalogEntry {
  /** How it is called: `ps`, and `container ls` beside it. */
  readonly names: readonly [string, ...string[]];
  readonly summary: string;
  load(): Promise<Command>;
}
