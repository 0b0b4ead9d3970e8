import { dirname } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from '../../host/errno.ts';

/** Why SQLite could not, by its primary result code. Source: sqlite.org/rescode.html. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [5, 'another program has locked them'],
  [8, 'their file system is read-only'],
  [10, 'their disk cannot be read or written'],
  [11, 'they are damaged'],
  [13, 'no space left on device'],
  [14, 'the file cannot be opened'],
  [26, 'the file is not a database'],
]);

/** What is beside the database, and what a fault plan says. */
const ERRNO_REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'no space left on device'],
  ['EROFS', 'their file system is read-only'],
]);

/** Extended result codes carry more in the bits above. */
const PRIMARY_CODE_MASK = 0xff;

const CODE_FULL = 13;

/** Whether SQLite, or the kernel, found no room. */
export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === CODE_FULL || isErrno(error, 'ENOSPC', 'EDQUOT');
}

/** That nothing ordinary can be written until there is room again. */
export function recordsFull(path: string): EngineError {
  return failure(path, 'write', { reason: REASONS.get(CODE_FULL) ?? '', cause: undefined });
}

/** Says in an operator's words why the engine's records could not be opened or written; other errors stay as they are. */
export function recordFailure(path: string, doing: 'open' | 'write', cause: unknown): unknown {
  const code = codeOf(cause);
  if (code !== undefined) return failure(path, doing, { reason: REASONS.get(code) ?? wordsOf(cause), cause });
  return isErrno(cause)
    ? failure(path, doing, { reason: ERRNO_REASONS.get(cause.code ?? '') ?? wordsOf(cause), cause })
    : cause;
}

function failure(
  path: string,
  doing: 'open' | 'write',
  why: { readonly reason: string; readonly cause: unknown },
): EngineError {
  return new EngineError(
    doing === 'open' ? 'unavailable' : 'internal',
    `cannot ${doing} the engine's records in ${dirname(path)}: ${why.reason}`,
    { cause: why.cause, details: { path } },
  );
}

function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & PRIMARY_CODE_MASK;
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
