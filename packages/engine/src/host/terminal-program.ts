import { closeDescriptor } from './native.ts';
import { spawnProgram, type Program } from './process.ts';
import { openTerminalPair, type WindowSize } from './terminal.ts';

export interface TerminalProgram {
  readonly program: Program;
  /** The master's descriptor, the caller's to close. */
  readonly master: number;
}

/** Starts a program with a new pseudo-terminal as its 0, 1 and 2. @throws an errno error; nothing is left open then. */
export async function spawnOnTerminal(
  file: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly size: WindowSize | undefined },
): Promise<TerminalProgram> {
  const { master, slave } = openTerminalPair(options.size);
  try {
    const program = await spawnProgram(file, args, { env: options.env, stdio: [slave, slave, slave] });
    return { program, master };
  } catch (error) {
    closeDescriptor(master);
    throw error;
  } finally {
    closeDescriptor(slave);
  }
}
