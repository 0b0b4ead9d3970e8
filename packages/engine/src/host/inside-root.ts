import { constants } from 'node:fs';
import { lstat, open, readlink, type FileHandle } from 'node:fs/promises';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';

/** As the kernel: more links than this in one path are a loop. Source: path_resolution(7). */
const LINKS_MAX = 40;

/**
 * The host path of a path inside a root directory: symbolic links are resolved inside it and `..` does not leave it.
 * Undefined when it does not exist. What changes the tree meanwhile can at most make it miss; the last component is
 * opened without following links, see `readInsideRoot`.
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
 * Reads a text file inside a root directory; undefined when there is none, or when it is not a regular file.
 * @throws EngineError 'too-large' when it is longer than `bytesMax`.
 */
export async function readInsideRoot(root: string, path: string, bytesMax: number): Promise<string | undefined> {
  const host = await resolveInsideRoot(root, path);
  if (host === undefined) return undefined;
  // A FIFO put there by a container must not hold the engine: O_NONBLOCK, and only regular files are read.
  const file = await open(host, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(missing);
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) return undefined;
    return (await readUpTo(file, bytesMax)).toString('utf8');
  } finally {
    await file.close();
  }
}

async function readUpTo(file: FileHandle, bytesMax: number): Promise<Buffer> {
  const buffer = Buffer.alloc(
    bytesMax + 1 > 64 * 1024 ? Math.min(bytesMax, (await file.stat()).size) + 1 : bytesMax + 1,
  );
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new EngineError('too-large', `file is larger than ${bytesMax} bytes or grows while it is read`);
}

function components(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

function missing(error: unknown): undefined {
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
  throw error;
}
