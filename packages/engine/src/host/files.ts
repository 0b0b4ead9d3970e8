import { randomBytes } from 'node:crypto';
import { constants, watch } from 'node:fs';
import {
  access,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises';
import { constants as osConstants, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';
import { atCheckpoint } from './fault-points.ts';
import {
  lockDescriptor,
  makeDirectories as makeDirectoriesInOneVisit,
  readSmallFile,
  removePaths,
  removeTreePart,
  writeSmallFile,
} from './native.ts';

/** How often a watched directory is listed anyway: the kernel drops events when its queue (16,384) is full. */
export const WATCH_RESCAN_MS = 5_000;

/** Removed in one visit to a thread; some ten milliseconds, after which others have their turn. */
const TREE_PART_ENTRIES = 1000;

export interface WriteOptions {
  /** Permission bits. Default 0o644. */
  readonly mode?: number;
  /** Also survives a power cut: file and directory are synced before the call returns. Default: only a crash of ours. */
  readonly durable?: boolean;
}

/**
 * Replaces a file in one step: a reader sees the old content or the new one, whole.
 * @throws an errno error; the temporary file is removed.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  const temporary = temporaryName(path);
  const { mode = 0o644, durable = false } = options;
  try {
    await atCheckpoint('files.write', () =>
      writeSmallFile(temporary, bytesOf(content), mode, constants.O_CREAT | constants.O_EXCL, durable),
    );
    await atCheckpoint('files.rename', () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (durable) await syncDirectory(dirname(path));
}

/** Removes what {@link writeFileAtomically} was writing into a directory when its process was killed. */
export async function removeHalfWritten(directory: string): Promise<void> {
  const names = (await listDirectory(directory)).filter((name) => TEMPORARY_NAME.test(name));
  await Promise.all(names.map((name) => removeFile(join(directory, name))));
}

const TEMPORARY_NAME = /^\..+\.[0-9a-f]{12}\.tmp$/;

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Writes into a file that is there, in one write(2): for files of /proc, /sys and cgroups. @throws an errno error. */
export async function writeKernelFile(path: string, text: string): Promise<void> {
  await atCheckpoint('kernel.write', () => writeSmallFile(path, bytesOf(text), 0, 0, false));
}

/**
 * Reads a whole file of at most `bytesMax` bytes. Works on /proc and /sys, whose files claim to be empty.
 * @throws an errno error; EngineError 'too-large' when there is more.
 */
export async function readFileBounded(path: string, bytesMax: number): Promise<Buffer> {
  try {
    return await readSmallFile(path, bytesMax, 0);
  } catch (error) {
    if (!isErrno(error, 'EFBIG')) throw error;
    throw new EngineError('too-large', `${path} is larger than ${bytesMax} bytes`, { cause: error });
  }
}

/** As {@link readFileBounded}, as UTF-8 text; undefined when there is no such file. */
export async function readTextIfExists(path: string, bytesMax: number): Promise<string | undefined> {
  try {
    return (await readFileBounded(path, bytesMax)).toString('utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Makes a directory and its parents; there already is success. `mode` is for those that are made. */
export async function makeDirectory(path: string, mode = 0o755): Promise<void> {
  await atCheckpoint('files.make-directory', () => mkdir(path, { recursive: true, mode }));
}

/** A directory to be made, with its permission bits. */
export interface NewDirectory {
  readonly path: string;
  readonly mode: number;
}

/** Makes directories in this order, whose parents are there or come before them; there already is success. */
export async function makeDirectories(directories: readonly NewDirectory[]): Promise<void> {
  const [paths, modes] = [directories.map(({ path }) => path), directories.map(({ mode }) => mode)];
  await atCheckpoint('files.make-directory', () => makeDirectoriesInOneVisit(paths, modes));
}

/** A new directory of the engine's own below the system's one for temporary files; disposing removes it with all in it. */
export async function makeTemporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'fairlead-'));
  return { path, [Symbol.asyncDispose]: () => removeTree(path) };
}

/** How often a tree is tried again to which a program that is just ending still adds files. */
const REMOVE_RETRIES = 5;

/** Removes a file or a tree, without following links. Nothing there is success. */
export async function removeTree(path: string): Promise<void> {
  await atCheckpoint('files.remove', () => removeWhole(path));
}

async function removeWhole(path: string): Promise<void> {
  try {
    while (await removeTreePart(path, TREE_PART_ENTRIES));
  } catch (error) {
    // Deeper than it goes, or filled meanwhile.
    if (!isErrno(error, 'EMFILE', 'ENOTEMPTY', 'EEXIST')) throw error;
    await rm(path, { recursive: true, force: true, maxRetries: REMOVE_RETRIES });
  }
}

/** Removes one file. Nothing there is success. */
export async function removeFile(path: string): Promise<void> {
  try {
    await atCheckpoint('files.remove', () => unlink(path));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Removes files, in no order. Nothing there is success. @throws an errno error for the first that could not be removed. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  const errors = await atCheckpoint('files.remove', () => removePaths(paths, false));
  errors.forEach((error, index) => throwIfFailed(error, 'unlink', paths[index]));
}

/**
 * Removes directories, in this order, that are empty (cgroups count as empty). Nothing there is success.
 * @returns those that stay because something is in them. @throws an errno error for the first that fails otherwise.
 */
export async function removeEmptyDirectories(paths: readonly string[]): Promise<readonly string[]> {
  const errors = await atCheckpoint('files.remove', () => removePaths(paths, true));
  return paths.filter((path, index) => {
    const error = errors[index] ?? 0;
    if (error === osConstants.errno.ENOTEMPTY || error === osConstants.errno.EBUSY) return true;
    throwIfFailed(error, 'rmdir', path);
    return false;
  });
}

/** Removes an empty directory (a cgroup counts as one). Nothing there is success. @throws an errno error: 'ENOTEMPTY', 'EBUSY'. */
export async function removeEmptyDirectory(path: string): Promise<void> {
  try {
    await atCheckpoint('files.remove', () => rmdir(path));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** When a file was last written; undefined when there is none. */
export async function modifiedAt(path: string): Promise<Date | undefined> {
  try {
    return (await stat(path)).mtime;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Whether there is something at this path; a dangling link counts as nothing. */
export async function pathExists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Names in a directory, sorted; none when it does not exist. */
export async function listDirectory(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).toSorted();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Moves within one file system, replacing what is there, in one step. */
export async function movePath(from: string, to: string): Promise<void> {
  await atCheckpoint('files.rename', () => rename(from, to));
}

/** Makes `path` a symbolic link to `target`; one that says the same already is success. */
export async function makeLink(target: string, path: string): Promise<void> {
  try {
    await atCheckpoint('files.link', () => symlink(target, path));
  } catch (error) {
    if (!isErrno(error, 'EEXIST') || (await readlink(path)) !== target) throw error;
  }
}

/** Bytes that the files under `path` take on disk, without following links; a file with several names counts once. */
export async function diskUsageBytes(path: string): Promise<number> {
  const seen = new Set<string>();
  const visit = async (at: string): Promise<number> => {
    const stats = await lstat(at).catch(missing);
    if (stats === undefined) return 0;
    const own = seen.has(`${stats.dev}:${stats.ino}`) ? 0 : stats.blocks * 512;
    if (stats.nlink > 1 && !stats.isDirectory()) seen.add(`${stats.dev}:${stats.ino}`);
    if (!stats.isDirectory()) return own;
    let total = own;
    for (const name of await readdir(at)) total += await visit(join(at, name));
    return total;
  };
  return await visit(path);
}

/**
 * Holds an exclusive lock on a file (made when missing) until disposed or until this process ends, however it ends.
 * @returns undefined when another process, or another holder in this one, has it.
 */
export async function lockFile(path: string): Promise<AsyncDisposable | undefined> {
  const file = await atCheckpoint('files.lock', () => open(path, 'a', 0o644));
  try {
    if (lockDescriptor(file.fd)) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

/**
 * Calls `onName` for every name that is in the directory now and for every one that appears or changes later.
 *
 * No name is missed: the watch starts before the first listing, and the directory is listed again every
 * {@link WATCH_RESCAN_MS}. So a name may be told more than once and may be gone again: look before acting.
 * Does not keep the process alive. Disposing ends it; the directory vanishing ends it through `onFailed`.
 */
export function watchDirectory(
  path: string,
  onName: (name: string) => void,
  onFailed: (error: unknown) => void,
): Disposable {
  let closed = false;
  const close = (): void => {
    closed = true;
    clearInterval(rescan);
    watcher.close();
  };
  const fail = (error: unknown): void => {
    if (closed) return;
    close();
    onFailed(error);
  };
  const list = async (): Promise<void> => {
    const names = await readdir(path);
    for (const name of names) if (!closed) onName(name);
  };
  const watcher = watch(path, { persistent: false }, (_event, name) => {
    if (closed) return;
    if (name === null) void list().catch(fail);
    else onName(name);
  });
  watcher.on('error', fail);
  const rescan = setInterval(() => void list().catch(fail), WATCH_RESCAN_MS);
  rescan.unref();
  void list().catch(fail);
  return { [Symbol.dispose]: close };
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

function missing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
}

/** Writes a small file in place, without rename: for files whose inode somebody holds, or that nobody reads before. */
export async function writePlainFile(path: string, content: string, mode: number): Promise<void> {
  await atCheckpoint('files.write', () =>
    writeSmallFile(path, bytesOf(content), mode, constants.O_CREAT | constants.O_TRUNC, false),
  );
}

function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content;
}

function throwIfFailed(error: number, syscall: string, path: string | undefined): void {
  if (error === 0) return;
  const code = getSystemErrorName(-error);
  throw Object.assign(new Error(`${code}: ${syscall} '${path ?? ''}'`), { code, errno: -error, syscall, path });
}
