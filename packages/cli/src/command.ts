import type { CliContext } from './context.ts';
import type { FlagSet } from './flags/flag-set.ts';

/** How many arguments a command takes behind its flags. */
export interface ArgumentCount {
  readonly min: number;
  readonly max: number;
}

/** Does the command; the number is the exit code. */
export type Action = (context: CliContext, args: readonly string[]) => Promise<number>;

/** One verb of the command line. */
export interface Command {
  /** `run`, or `system info`. */
  readonly name: string;
  /** What stands behind the name in the help: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly summary: string;
  readonly args: ArgumentCount;
  /** Flags end at the first argument: what follows belongs to the program in the container. */
  readonly stopAtFirstArgument?: boolean;
  /** Declares the flags, and gives back what reads them. Called once per run, and for the help. */
  define(flags: FlagSet): Action;
}

/** Exactly `count` arguments. */
export function exactly(count: number): ArgumentCount {
  return { min: count, max: count };
}

/** `count` arguments or more. */
export function atLeast(count: number): ArgumentCount {
  return { min: count, max: Infinity };
}

/** No arguments. */
export const noArguments: ArgumentCount = { min: 0, max: 0 };
