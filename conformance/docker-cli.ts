import { execFileSync } from 'node:child_process';
import { RunningCommand, type CommandResult } from './running-command.ts';

/** Rows and columns of a terminal. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** The docker program on PATH, or the one that `DOCKER_CLI` names: expectations hold with 20.10 and with 28. */
export const DOCKER_PROGRAM: string = process.env['DOCKER_CLI'] ?? 'docker';

/** How long a resize may take to be heard of. */
const RESIZED_WITHIN_MS = 3_000;
const RESIZE_TRIES = 5;

/** A docker client at a terminal of its own, which can be resized. */
export class TerminalSession extends RunningCommand {
  #device: string | undefined;

  /** Resizes the terminal: the kernel tells the client by SIGWINCH. */
  async resize({ rows, columns }: WindowSize): Promise<void> {
    this.#device ??= (await this.says(/^(\/dev\/\S+)\r?\n/))[1] ?? '';
    execFileSync('stty', ['-F', this.#device, 'rows', String(rows), 'cols', String(columns)]);
  }

  /**
   * Resizes until the program in the container has said so. The client sets the first size before it listens for SIGWINCH, so that it
   * misses a resize which comes right after.
   */
  async resizeUntil(size: WindowSize, said: RegExp): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await this.resize({ ...size, rows: size.rows + tries });
      await this.resize(size);
      try {
        await this.says(said, { withinMs: RESIZED_WITHIN_MS });
        return;
      } catch (error) {
        if (tries === RESIZE_TRIES) throw error;
      }
    }
  }
}

/** Runs the docker client against one engine, without anything of the person who runs the tests. */
export class DockerCli {
  readonly #env: Readonly<Record<string, string>>;

  /** @param configDirectory an empty directory, for what the client would keep in the home directory */
  constructor(host: string, configDirectory: string) {
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      DOCKER_HOST: host,
      DOCKER_CONFIG: configDirectory,
      HOME: configDirectory,
      TERM: 'xterm',
      LC_ALL: 'C.UTF-8',
    };
  }

  /** Runs to the end. Standard input is `input`, else empty. */
  async run(args: readonly string[], input: string | Uint8Array = ''): Promise<CommandResult> {
    await using command = this.start(args);
    command.write(input);
    command.endInput();
    return await command.result();
  }

  /**
   * Runs to the end, which has to be a good one.
   * @returns what it printed, without the last line end. @throws Error with its words when it fails.
   */
  async ok(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args);
    if (exitCode !== 0) throw new Error(`docker ${args.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`);
    return stdout.replace(/\n$/, '');
  }

  /** Starts one that goes on while the test does something else. Its input stays open. */
  start(args: readonly string[]): RunningCommand {
    return new RunningCommand({ program: DOCKER_PROGRAM, args, env: this.#env });
  }

  /** Starts one at a terminal: its output is what the person would see, after a line with the terminal's device. */
  atTerminal(args: readonly string[], { rows, columns }: WindowSize = { rows: 24, columns: 80 }): TerminalSession {
    const words = [DOCKER_PROGRAM, ...args].map(quoted).join(' ');
    const command = `stty rows ${rows} cols ${columns}; tty; exec ${words}`;
    return new TerminalSession({
      program: 'script',
      args: ['-qefc', command, '/dev/null'],
      env: { ...this.#env, SHELL: '/bin/sh' },
    });
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
