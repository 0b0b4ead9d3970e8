import { join } from 'node:path';
import { type CommandResult, RunningCommand } from '../running-command.ts';

const PROGRAM = join(import.meta.dirname, '../../packages/cli/src/main.ts');

/** Where a process runs, and with what. */
export interface FairleadProcessOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** In front of its command line: `nsenter --net=PATH`. */
  readonly within?: readonly string[] | undefined;
}

/** `fairlead` as a process that goes on, hub or agent: its own first process, so that a signal reaches it. */
export function startFairlead(
  args: readonly string[],
  { within = [], env = {} }: FairleadProcessOptions = {},
): RunningCommand {
  const [program = '', ...rest] = [...within, process.execPath, PROGRAM, ...args];
  return new RunningCommand({ program, args: rest, env: { PATH: process.env['PATH'] ?? '', ...env } });
}

/** Ends it, and waits for that. @throws Error when it does not leave. */
export async function endFairlead(command: RunningCommand, signal: NodeJS.Signals): Promise<CommandResult> {
  // Disposing kills what does not leave.
  await using _ = command;
  command.signal(signal);
  return await command.result();
}
