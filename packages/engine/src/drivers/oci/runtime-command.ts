import { EngineError } from '@fairlead/protocol';
import { runProgram, type ProgramResult } from '../../host/process.ts';

/**
 * How long one call of the runtime may take before it is given up. A call takes 5–40 ms; a hundred times that on a host
 * that swaps is still far below, and what takes longer (a dead network mount) will not end at all.
 */
export const RUNTIME_CALL_MS = 60_000;

/** Which of the two dialects a runtime speaks; other runtimes follow runc's. */
export type RuntimeDialect = 'crun' | 'runc';

/** An OCI runtime's program and the directory of its state. */
export interface RuntimeCommand {
  readonly path: string;
  /** Where it is run from: `path`, or a sealed view of it. */
  readonly runPath: () => string;
  readonly dialect: RuntimeDialect;
  /** `--root`. */
  readonly root: string;
}

/** The environment of everything that runs for a container: nothing of the engine's own (sockets, tokens) leaks into it. */
export const RUNTIME_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

/** Options that come before the verb. crun's JSON log would also turn up in the container's own stderr, so it writes text. */
export function globalArguments(command: RuntimeCommand, logPath?: string): readonly string[] {
  const log = logPath === undefined ? [] : [`--log=${logPath}`];
  const format = logPath === undefined || command.dialect === 'crun' ? [] : ['--log-format=json'];
  return [`--root=${command.root}`, ...log, ...format];
}

/**
 * Runs the runtime once, to its end; any exit code is a result.
 * @throws EngineError 'unavailable' when it does not end within {@link RUNTIME_CALL_MS}, or cannot be run.
 */
export async function callRuntime(command: RuntimeCommand, args: readonly string[]): Promise<ProgramResult> {
  const bound = AbortSignal.timeout(RUNTIME_CALL_MS);
  try {
    return await runProgram(command.runPath(), [...globalArguments(command), ...args], {
      signal: bound,
      env: RUNTIME_ENVIRONMENT,
    });
  } catch (cause) {
    const why = bound.aborted ? `did not end within ${RUNTIME_CALL_MS} ms` : 'could not be run';
    throw new EngineError('unavailable', `OCI runtime ${command.path} ${args[0] ?? ''} ${why}`, { cause });
  }
}

/** The dialect that a runtime of this name or path speaks. */
export function dialectOf(nameOrPath: string): RuntimeDialect {
  return /(^|\/)crun[^/]*$/.test(nameOrPath) ? 'crun' : 'runc';
}
