import { EngineUnreachableError } from '../errors.ts';

/**
 * What a person is told when connect(2) failed, one sentence per cause.
 *
 * Linux answers ECONNREFUSED for a path that is no socket, so `unix-socket.ts` looks at the path and says ENOTSOCK.
 */
const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket. Is the engine running?',
  ENOTDIR: 'there is no such socket: part of the path is not a directory.',
  ECONNREFUSED: 'nobody listens there. The engine was running and is gone, or listens elsewhere.',
  ENOTSOCK: 'that path is not a socket.',
  EACCES: 'permission denied. The socket belongs to root and its group; join the group or use sudo.',
  EPERM: 'permission denied. The socket belongs to root and its group; join the group or use sudo.',
  ENOTFOUND: 'no host has that name.',
  EAI_AGAIN: 'the name of the host cannot be looked up just now.',
  ETIMEDOUT: 'the host does not answer.',
  EHOSTUNREACH: 'there is no route to the host.',
  ENETUNREACH: 'there is no route to the host.',
};

/** Translates a failed connect into the one error that may say "Cannot connect". */
export function connectFailure(address: string, errno: string, cause: unknown): EngineUnreachableError {
  const sentence = SENTENCES[errno] ?? `${errno}.`;
  return new EngineUnreachableError(`Cannot connect to the engine at ${address}: ${sentence}`, {
    errno,
    address,
    cause,
  });
}

/** The operating system's name for an error, or `UNKNOWN`. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}
