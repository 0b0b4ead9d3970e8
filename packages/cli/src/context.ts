import type { Client, LocalTerminal } from '@fairlead/client';

/** What was typed in front of the command. */
export interface GlobalFlags {
  /** `--host` values, in order; empty when none was typed. */
  readonly hosts: readonly string[];
  /** `--context`. */
  readonly context: string | undefined;
}

/** What a command has to work with. */
export interface CliContext extends GlobalFlags {
  readonly terminal: LocalTerminal & { readonly stderr: { readonly isTTY?: boolean } };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The engine, started if there is none and none was asked for. @throws EngineUnreachableError */
  client(): Promise<Client>;
  /** Writes to standard output and waits until it is out. */
  out(text: string | Uint8Array): Promise<void>;
  /** One line to standard error. */
  err(line: string): Promise<void>;
}
