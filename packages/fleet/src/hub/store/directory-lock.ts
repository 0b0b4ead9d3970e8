import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EngineError } from '@fairlead/protocol';

/**
 * Makes a hub's directory and keeps every other hub out of it until it is disposed of, or the process has ended, however it did.
 *
 * The lock is SQLite's (fcntl(2), which the kernel takes back), because Node has none of its own.
 *
 * @throws EngineError 'conflict' when another hub is there.
 */
export function lockDirectory(directory: string): Disposable {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(directory, 'hub.lock'), { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new EngineError('conflict', `another hub runs in ${directory}`, { cause });
  }
  return { [Symbol.dispose]: () => lock.close() };
}
