import { dirname } from 'node:path';
import { EngineError } from '@fairlead/protocol';

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

/** Extended result codes carry more in the bits above. */
const PRIMARY_CODE_MASK = 0xff;

/** Says in an operator's words why the engine's records could not be opened or written; other errors stay as they are. */
export function recordFailure(path: string, doing: 'open' | 'write', cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const code = 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode & PRIMARY_CODE_MASK : undefined;
  if (code === undefined && !('syscall' in cause)) return cause;
  const reason = (code === undefined ? undefined : REASONS.get(code)) ?? cause.message;
  return new EngineError(
    doing === 'open' ? 'unavailable' : 'internal',
    `cannot ${doing} the engine's records in ${dirname(path)}: ${reason}`,
    { cause, details: { path } },
  );
}
