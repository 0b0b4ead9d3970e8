import { isEngineError } from '@fairlead/protocol';

/** The command line itself was wrong, or the engine refused to run anything. Source: docker/cli, StatusError 125. */
export const EXIT_USAGE = 125;
/** What the container should run is there, and cannot be run. */
export const EXIT_NOT_EXECUTABLE = 126;
/** What the container should run is not there. */
export const EXIT_NOT_FOUND = 127;
/** Any other failure. */
export const EXIT_FAILURE = 1;
/** Whoever read our output left: 128 + SIGPIPE, which a program that is not Node would have died of. */
export const EXIT_BROKEN_PIPE = 141;

/**
 * What `run` exits with when the container could not be started, told from the engine's words.
 *
 * Source: docker/cli container/run.go, toStatusError.
 */
export function startFailureExitCode(message: string): number {
  const words = message.toLowerCase();
  if (NOT_FOUND.some((phrase) => words.includes(phrase))) return EXIT_NOT_FOUND;
  if (NOT_EXECUTABLE.some((phrase) => words.includes(phrase))) return EXIT_NOT_EXECUTABLE;
  return EXIT_USAGE;
}

const NOT_FOUND = ['executable file not found', 'no such file or directory', 'system cannot find the file specified'];
const NOT_EXECUTABLE = ['permission denied', 'is a directory'];

/** Ends a command with an exit code; `message`, when there is one, goes to stderr as it is. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string = '', options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What a person is told about a failure. The engine's own words are marked as such, as in Docker. */
export function failureText(error: unknown): string {
  if (isEngineError(error)) return 'status' in error ? `Error response from daemon: ${error.message}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
