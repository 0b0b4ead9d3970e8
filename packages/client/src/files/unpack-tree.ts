import { EngineError } from '@fairlead/protocol';
import { decodeTar, pathParts, shownPath, type TarEntryRead, type TarRecord } from '@fairlead/protocol/tar';
import { createWriteStream } from 'node:fs';
import { chmod, lchown, link, lstat, mkdir, realpath, rm, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** How a tar is unpacked. */
export interface UnpackOptions {
  /** What a name of the tar is called on the disk; undefined leaves it out. Default: the same. */
  readonly rename?: ((name: string) => string | undefined) | undefined;
  /** Keeps the owners in the tar; only root may. Default: everything is the caller's. */
  readonly keepOwners?: boolean | undefined;
}

/**
 * Unpacks a tar into a directory, whoever made the tar: nothing is written outside of it, and through no symbolic link in it. Files
 * replace files; a directory and something else never replace each other.
 *
 * @returns names that were left out: devices and pipes. @throws EngineError 'invalid-argument' for a name that leads out, 'conflict' for
 *   a directory in the place of something else or the other way round; the file system's error.
 */
export async function unpackTree(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  options: UnpackOptions = {},
): Promise<readonly string[]> {
  const root = await realpath(directory);
  const left: string[] = [];
  const times: (readonly [string, Date])[] = [];
  for await (const entry of decodeTar(tar)) {
    const name = renamed(entry.record.name, options);
    if (name === undefined) continue;
    const path = await placeFor(root, name);
    if (!(await write(entry, path, { root, options }))) {
      left.push(name);
      continue;
    }
    if (options.keepOwners === true) await lchown(path, entry.record.uid, entry.record.gid);
    // A link has neither mode nor time of its own that matters.
    if (entry.record.type === 'symlink' || entry.record.type === 'hardlink') continue;
    await chmod(path, entry.record.mode);
    // A directory's time changes with what is put into it.
    if (entry.record.type === 'directory') times.push([path, entry.record.modifiedAt]);
    else await utimes(path, entry.record.modifiedAt, entry.record.modifiedAt);
  }
  for (const [path, at] of times.toReversed()) await utimes(path, at, at);
  return left;
}

/** Relative, without `.` and empty parts. */
function renamed(name: string, { rename = (same: string): string => same }: UnpackOptions): string | undefined {
  const shown = shownPath(name);
  const to = rename(shown.replace(/^\/+/, ''));
  if (to === undefined) return undefined;
  const parts = pathParts(to);
  if (parts[0] === '..')
    throw new EngineError('invalid-argument', `${shown} in the archive leads out of the directory`);
  return parts.join('/');
}

/** The path of a name, whose parents are directories of their own. */
async function placeFor(root: string, name: string): Promise<string> {
  const parents = name.split('/').slice(0, -1);
  for (let depth = 1; depth <= parents.length; depth += 1) {
    const path = join(root, ...parents.slice(0, depth));
    const found = await kindOf(path);
    if (found === 'nothing') await mkdir(path);
    else if (found !== 'directory') throw new EngineError('conflict', `${path} is not a directory`);
  }
  return join(root, name);
}

/** False for what cannot be made here. */
async function write(
  { record, content }: TarEntryRead,
  path: string,
  within: { readonly root: string; readonly options: UnpackOptions },
): Promise<boolean> {
  if (record.type === 'character' || record.type === 'block' || record.type === 'fifo') return false;
  await makeRoom(path, record);
  switch (record.type) {
    case 'directory':
      await mkdir(path, { recursive: true });
      return true;
    case 'file':
      await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      return true;
    case 'symlink':
      await symlink(shownPath(record.linkName), path);
      return true;
    case 'hardlink': {
      const target = renamed(record.linkName, within.options);
      if (target === undefined) return false;
      await link(await placeFor(within.root, target), path);
      return true;
    }
    default:
      return record.type satisfies never;
  }
}

async function makeRoom(path: string, { type }: TarRecord): Promise<void> {
  const found = await kindOf(path);
  if (found === 'nothing' || (found === 'directory' && type === 'directory')) return;
  if (found === 'directory') {
    throw new EngineError('conflict', `cannot overwrite directory "${path}" with non-directory`);
  }
  if (type === 'directory') {
    throw new EngineError('conflict', `cannot overwrite non-directory "${path}" with directory`);
  }
  await rm(path);
}

async function kindOf(path: string): Promise<'nothing' | 'directory' | 'other'> {
  try {
    return (await lstat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'nothing';
    throw error;
  }
}
