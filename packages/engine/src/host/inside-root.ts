import { constants } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';
import { readSmallFile } from './native.ts';

/** As the kernel: more links than this in one path are a loop. Source: path_resolution(7). */
const LINKS_MAX = 40;

/**
 * The host path of a path inside a root directory: symbolic links are resolved inside it and `..` does not leave it.
 * Undefined when it does not exist. Only for trees that nobody changes meanwhile: the path that comes out may lead elsewhere by the
 * time it is used. For all others there are `readInsideRoot` and `RootedTree`.
 */
export async function resolveInsideRoot(root: string, path: string): Promise<string | undefined> {
  const pending = components(path);
  const resolved: string[] = [];
  let links = 0;
  for (let component = pending.shift(); component !== undefined; component = pending.shift()) {
    if (component === '..') {
      resolved.pop();
      continue;
    }
    const host = [root, ...resolved, component].join('/');
    const stats = await lstat(host).catch(missing);
    if (stats === undefined) return undefined;
    if (!stats.isSymbolicLink()) {
      resolved.push(component);
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) return undefined;
    const target = await readlink(host);
    if (target.startsWith('/')) resolved.length = 0;
    pending.unshift(...components(target));
  }
  return [root, ...resolved].join('/');
}

/**
 * Reads a text file inside a root directory; undefined when there is none, or when it is not a regular file. The kernel resolves the
 * path (openat2), so that nothing outside is read, whoever changes the tree meanwhile.
 * @throws EngineError 'too-large' when it is longer than `bytesMax`.
 */
export async function readInsideRoot(root: string, path: string, bytesMax: number): Promise<string | undefined> {
  try {
    // A FIFO put there by a container must not hold the engine: with O_NONBLOCK only regular files are read.
    return (await readSmallFile(path, bytesMax, constants.O_NONBLOCK, root)).toString('utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL')) return undefined;
    if (!isErrno(error, 'EFBIG')) throw error;
    throw new EngineError('too-large', `${path} is larger than ${bytesMax} bytes`, { cause: error });
  }
}

function components(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

function missing(error: unknown): undefined {
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
  throw error;
}
