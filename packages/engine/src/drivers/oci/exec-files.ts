import { join } from 'node:path';
import type { ExecId } from '@fairlead/protocol';
import { makeDirectory, removeTree } from '../../host/files.ts';

/** Where the files of one exec are, while it starts. */
export interface ExecPaths {
  /** The runtime writes the pid here, for the keeper, which removes it. */
  readonly pid: string;
  /** Short: runc does not take a socket path of more than 107 bytes. */
  readonly consoleSocket: string;
}

/** The directory of what a runtime and its keeper tell each other by files. */
export class ExecFiles {
  readonly #directory: string;

  /** Use {@link ExecFiles.open}. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory; files of execs that an earlier engine started are removed. */
  static async open(directory: string): Promise<ExecFiles> {
    await removeTree(directory);
    await makeDirectory(directory, 0o700);
    return new ExecFiles(directory);
  }

  pathsOf(execId: ExecId): ExecPaths {
    return {
      pid: join(this.#directory, `${execId}.pid`),
      consoleSocket: join(this.#directory, `${execId.slice(0, 16)}.sock`),
    };
  }
}
