import type { BigIntStats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { BytePath } from '@fairlead/protocol/tar';
import { isErrno } from './errno.ts';
import { getExtendedAttribute } from './file-nodes.ts';
import { readFileBounded } from './files.ts';
import { READ_FLAGS, type Place } from './rooted-tree.ts';

/** Directories held open on the way down; those above are looked up again on the way back. */
const OPEN_DIRECTORIES_MAX = 32;

/** How many names are looked up ahead of the one that is handed out: the disk answers several questions at a time. */
const LOOK_AHEAD = 16;

/** Something found in a tree. Its methods work until the next one is asked for. */
export interface TreeEntry {
  /** From the directory that is walked, without a slash in front. */
  readonly path: BytePath;
  readonly name: BytePath;
  /** Of links themselves. */
  readonly stats: BigIntStats;
  /** Where a link points; undefined when it is gone, or something else by now. */
  readLink(): Promise<BytePath | undefined>;
  /** A regular file of at most `contentBytesMax` bytes, read ahead; undefined for all else, open it then. */
  readonly small: SmallFile | undefined;
  /** Opens a regular file; undefined when it is gone, or something else by now. */
  open(): Promise<FileHandle | undefined>;
  /** An extended attribute; undefined when it has none. */
  attribute(name: string): Uint8Array | undefined;
}

/** A file that was read whole. */
export interface SmallFile {
  /** Of the file that was read. */
  readonly stats: BigIntStats;
  readonly content: Uint8Array;
}

/** How a tree is walked. */
export interface WalkTree {
  readonly signal: AbortSignal;
  /** Files up to this size are read ahead, some at a time; 0: none. */
  readonly contentBytesMax: number;
}

interface Looked {
  readonly stats: BigIntStats;
  readonly small: SmallFile | undefined;
}

interface Frame {
  readonly path: BytePath;
  readonly names: readonly BytePath[];
  readonly ahead: Promise<Looked | undefined>[];
  next: number;
  /** Undefined while it is not held open. */
  place: Place | undefined;
}

/**
 * Everything below a directory: a directory before what is in it, names in the order of their bytes. No link is followed, and a directory
 * that becomes one meanwhile is left out, as is what vanishes. Holds at most {@link OPEN_DIRECTORIES_MAX} descriptors and the
 * names of the directories on the way.
 *
 * @param base stays the caller's @throws signal.reason; an errno error: 'ENAMETOOLONG' for paths that are longer than the kernel takes.
 */
export async function* walkTree(base: Place, how: WalkTree): AsyncGenerator<TreeEntry, void, undefined> {
  const frames: Frame[] = [];
  try {
    await enter(frames, base, '');
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      how.signal.throwIfAborted();
      const name = frame.names[frame.next];
      if (name === undefined) {
        frames.pop();
        frame.place?.[Symbol.dispose]();
        continue;
      }
      frame.place ??= await base.below(frame.path).catch(gone);
      if (frame.place === undefined) {
        // The rest of it is not where it was any more.
        frame.next = frame.names.length;
        continue;
      }
      const looked = await lookUp(frame, frame.place, how.contentBytesMax);
      if (looked === undefined) continue;
      const path = frame.path === '' ? name : `${frame.path}/${name}`;
      yield treeEntry(frame.place, { path, name, ...looked });
      if (looked.stats.isDirectory()) await enter(frames, base, path);
    }
  } finally {
    for (const { place, ahead } of frames) {
      await Promise.allSettled(ahead);
      place?.[Symbol.dispose]();
    }
  }
}

async function enter(frames: Frame[], base: Place, path: BytePath): Promise<void> {
  const place = await base.below(path).catch(gone);
  if (place === undefined) return;
  try {
    frames.push({ path, names: await place.names(), ahead: [], next: 0, place });
  } catch (error) {
    place[Symbol.dispose]();
    if (gone(error) === undefined) return;
  }
  const above = frames[frames.length - 1 - OPEN_DIRECTORIES_MAX];
  if (above?.place === undefined) return;
  // Questions under way use it.
  await Promise.allSettled(above.ahead);
  above.place[Symbol.dispose]();
  above.place = undefined;
}

/** Of the next name; moves on. */
async function lookUp(frame: Frame, place: Place, contentBytesMax: number): Promise<Looked | undefined> {
  while (frame.ahead.length < LOOK_AHEAD) {
    const name = frame.names[frame.next + frame.ahead.length];
    if (name === undefined) break;
    const asked = look(place, name, contentBytesMax);
    // Told when it is its turn.
    asked.catch(() => {});
    frame.ahead.push(asked);
  }
  frame.next += 1;
  return await frame.ahead.shift();
}

async function look(place: Place, name: BytePath, contentBytesMax: number): Promise<Looked | undefined> {
  const stats = await place.childStats(name);
  if (stats === undefined) return undefined;
  const isSmall = stats.isFile() && stats.size <= contentBytesMax;
  return { stats, small: isSmall ? await readSmall(place, name, contentBytesMax) : undefined };
}

async function readSmall(place: Place, name: BytePath, bytesMax: number): Promise<SmallFile | undefined> {
  await using file = await open(place.child(name), READ_FLAGS).catch(gone);
  const stats = await file?.stat({ bigint: true });
  if (file === undefined || stats?.isFile() !== true || stats.size > bytesMax) return undefined;
  const content = Buffer.alloc(Number(stats.size));
  let length = 0;
  while (length < content.length) {
    const { bytesRead } = await file.read(content, length, content.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return { stats, content: content.subarray(0, length) };
}

/** A name of a directory as something found in a tree. */
export function treeEntry(
  place: Place,
  found: Pick<TreeEntry, 'path' | 'name' | 'stats'> & Partial<Pick<TreeEntry, 'small'>>,
): TreeEntry {
  const { name } = found;
  return {
    small: undefined,
    ...found,
    readLink: () => place.readLink(name).catch(noLink),
    open: () => open(place.child(name), READ_FLAGS).catch(gone),
    attribute: (attribute) => readAttribute(place.child(name), attribute),
  };
}

/** Text of a regular file; undefined when it is something else. @throws EngineError 'too-large'. */
export async function readPlace(place: Place, bytesMax: number): Promise<string | undefined> {
  if (!(await place.stats()).isFile()) return undefined;
  return (await readFileBounded(place.path, bytesMax)).toString('utf8');
}

function readAttribute(path: Buffer, attribute: string): Uint8Array | undefined {
  try {
    return getExtendedAttribute(path, attribute);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTSUP', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

function noLink(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT', 'EINVAL')) throw error;
}

/** Vanished, or became a link or another thing, between two looks. */
function gone(error: unknown): undefined {
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return undefined;
  throw error;
}
