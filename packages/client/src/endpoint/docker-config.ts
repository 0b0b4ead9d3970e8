import { EngineError } from '@fairlead/protocol';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Environment, variable } from './environment.ts';

/** Where Docker's CLI keeps its configuration: `DOCKER_CONFIG`, else `~/.docker`. */
export function dockerConfigDir(env: Environment): string {
  return variable(env, 'DOCKER_CONFIG') ?? join(variable(env, 'HOME') ?? homedir(), '.docker');
}

/**
 * The context that `docker context use` has chosen; undefined when there is none.
 *
 * @throws EngineError 'invalid-argument' when the file is there and cannot be read: another engine than the chosen one would be asked.
 */
export async function currentContext(env: Environment): Promise<string | undefined> {
  const path = join(dockerConfigDir(env), 'config.json');
  const document = await readDocument(path);
  const name = field(document, 'currentContext');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** A JSON file; undefined when there is none. @throws EngineError 'invalid-argument' when it cannot be read. */
export async function readDocument(path: string): Promise<unknown> {
  const bytes = await readIfThere(path);
  try {
    return bytes === undefined ? undefined : JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new EngineError('invalid-argument', `cannot read ${path}: ${String(cause)}`, { cause });
  }
}

/** A file's bytes; undefined when there is none. @throws EngineError 'invalid-argument' when it cannot be read. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw new EngineError('invalid-argument', `cannot read ${path}: ${String(cause)}`, { cause });
  }
}

/** A field of a document; undefined when it is not there, or the document is no object. */
export function field(document: unknown, name: string): unknown {
  return typeof document === 'object' && document !== null ? Reflect.get(document, name) : undefined;
}
