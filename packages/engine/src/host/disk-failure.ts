import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';

/** What the kernel's refusals mean for a file system, in words that say what to do. Source: errno(3). */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['EROFS', 'its file system is read-only'],
  ['ENOSPC', 'no space left on device'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EIO', 'its disk cannot be read or written'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['ENOTDIR', 'a part of the path is not a directory'],
  ['ELOOP', 'too many links on the way'],
  ['ENAMETOOLONG', 'the path is too long'],
]);

/**
 * Says in an operator's words why a place on disk could not be used; other errors stay as they are.
 * @param say makes the sentence around the reason.
 * @returns EngineError 'unavailable', with the file's path in `details`.
 */
export function diskFailure(cause: unknown, say: (why: string) => string): unknown {
  if (!isErrno(cause)) return cause;
  const why = REASONS.get(cause.code ?? '');
  if (why === undefined) return cause;
  const { path } = cause;
  return new EngineError('unavailable', say(path === undefined ? why : `${path}: ${why}`), {
    cause,
    details: { path },
  });
}
