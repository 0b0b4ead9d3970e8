import type { Client, LocalTerminal } from '@fairlead/client';
import type { ContainerVerbs } from './container-verbs.ts';

/** What was typed in front of the command. */
export interface GlobalFlags {
  /** `--host` values, in order; empty when none was typed. */
  readonly hosts: readonly string[];
  /** `--context`. */
  readonly context: string | undefined;
  /** `--on`: a host of the fleet, or a selector of several. */
  readonly on?: string | undefined;
}

/** What a command has to work with. */
export interface CliContext extends GlobalFlags {
  readonly terminal: LocalTerminal & { readonly stderr: { readonly isTTY?: boolean } };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The engine, started if there is none and none was asked for. @throws EngineUnreachableError */
  client(): Promise<Client>;
  /** What changes a container's life, on that engine. */
  verbs(): Promise<ContainerVerbs>;
  /** Writes to standard output and waits until it is out. */
  out(text: string | Uint8Array): Promise<void>;
  /** One line to standard error. */
  err(line: string): Promise<void>;
}
