import { EngineError } from '@fairlead/protocol';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type IgnorePatterns, parseIgnorePatterns } from './ignore-patterns.ts';
import { packTree } from './pack-tree.ts';

/**
 * A directory as a build's context: without what its `.dockerignore` names, all owned by root. The Dockerfile and the `.dockerignore`
 * themselves are always in it: the engine needs them. Source: docker/cli cli/command/image/build/dockerignore.go.
 *
 * @throws EngineError 'invalid-argument' when it is no directory, has no Dockerfile, or its `.dockerignore` cannot be read.
 */
export async function* packBuildContext(
  directory: string,
  { dockerfile = 'Dockerfile' }: { readonly dockerfile?: string | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  await assertThere(directory, dockerfile);
  const patterns = await ignorePatterns(directory, dockerfile);
  yield* packTree(directory, {
    ignores: (path) => patterns.ignores(path),
    mayPrune: patterns.mayPrune,
    ownedByRoot: true,
  });
}

async function assertThere(directory: string, dockerfile: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new EngineError('invalid-argument', `unable to prepare context: path ${JSON.stringify(directory)} not found`);
  }
  const path = join(directory, dockerfile);
  const file = await stat(path).catch(() => undefined);
  if (file !== undefined) return;
  throw new EngineError(
    'invalid-argument',
    `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${path}: no such file or directory`,
  );
}

async function ignorePatterns(directory: string, dockerfile: string): Promise<IgnorePatterns> {
  const text = await readFile(join(directory, '.dockerignore'), 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
    throw new EngineError('invalid-argument', `error reading .dockerignore: ${String(cause)}`, { cause });
  });
  try {
    const lines = text.split(/\r?\n/);
    const own = parseIgnorePatterns(lines);
    const needed = ['.dockerignore', dockerfile].filter((path) => own.ignores(path));
    return needed.length === 0 ? own : parseIgnorePatterns([...lines, ...needed.map((path) => `!${path}`)]);
  } catch (cause) {
    throw new EngineError('invalid-argument', `error checking context: ${String(cause)}`, { cause });
  }
}
