import { join } from 'node:path';
import type { EngineProgram } from './engine-process.ts';
import type { PrivateHome } from './private-home.ts';

const PROGRAM = join(import.meta.dirname, '../packages/cli/src/main.ts');

/** The engine of this repository as a daemon, on a root and a socket of its own. The process is the engine, no wrapper around it. */
export function fairleadProgram({ directory, root, host, socketPath }: PrivateHome): EngineProgram {
  return {
    program: process.execPath,
    args: [PROGRAM, 'engine', '--root', root, '--host', host],
    socketPath,
    logPath: join(directory, 'log'),
  };
}
