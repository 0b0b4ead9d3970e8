import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { WindowSize } from './docker-cli.ts';
import { RunningCommand, type CommandResult } from './running-command.ts';

const PROGRAM = join(import.meta.dirname, '../bin/fairlead');

/** `fairlead` at a terminal of its own, which can be resized. */
export class FairleadTerminal extends RunningCommand {
  /** Resizes the terminal: the kernel tells the program by SIGWINCH. */
  async resize({ rows, columns }: WindowSize): Promise<void> {
    const device = (await this.says(/^(\/dev\/\S+)\r?\n/))[1] ?? '';
    execFileSync('stty', ['-F', device, 'rows', String(rows), 'cols', String(columns)]);
  }
}

/** Runs our own command line against one engine, ours or dockerd. */
export class FairleadCli {
  readonly #env: Readonly<Record<string, string>>;

  constructor(host: string | undefined, env: Readonly<Record<string, string>> = {}) {
    const named = host === undefined ? {} : { DOCKER_HOST: host };
    this.#env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm', LC_ALL: 'C.UTF-8', ...named, ...env };
  }

  /** Runs to the end. Standard input is `input`, else empty. */
  async run(args: readonly string[], input: string | Uint8Array = ''): Promise<CommandResult> {
    await using command = this.start(args);
    command.write(input);
    command.endInput();
    return await command.result();
  }

  /** Starts one that goes on while the test does something else. Its input stays open. */
  start(args: readonly string[]): RunningCommand {
    return new RunningCommand({ program: PROGRAM, args, env: this.#env });
  }

  /** Starts one at a terminal, after a line with the terminal's device. Behind it: the terminal's state, as stty prints it. */
  atTerminal(args: readonly string[], { rows, columns }: WindowSize = { rows: 24, columns: 80 }): FairleadTerminal {
    const words = [PROGRAM, ...args].map(quoted).join(' ');
    const command = `stty rows ${rows} cols ${columns}; tty; before=$(stty -g); ${words}; code=$?; [ "$before" = "$(stty -g)" ] && echo terminal restored; exit $code`;
    const env = { ...this.#env, SHELL: '/bin/sh' };
    return new FairleadTerminal({ program: 'script', args: ['-qefc', command, '/dev/null'], env });
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
