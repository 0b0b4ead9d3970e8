import { constants } from 'node:fs';
import { lchown, link, lutimes, mkdir, open, symlink } from 'node:fs/promises';
import { EngineError } from '@fairlead/protocol';
import {
  type BytePath,
  decodeTar,
  pathBytes,
  pathParts,
  shownPath,
  type TarEntryRead,
  type TarRecord,
} from '@fairlead/protocol/tar';
import { isErrno } from './errno.ts';
import { makeDeviceNode, setExtendedAttribute } from './file-nodes.ts';
import { removeBelow } from './remove-below.ts';
import { applyAppearance, applyTimes, ensureDirectory, type Place, type RootedTree } from './rooted-tree.ts';

/** Directories whose times are set at the end; those of an archive with more are set at once, and what follows may change them. */
const DIRECTORIES_MAX = 100_000;

/** A container that makes what is removed again and again does not hold us. */
const TRIES_MAX = 10;

/** What Docker gives directories that an archive only implies. Source: moby, pkg/archive, ImpliedDirectoryMode. */
const IMPLIED_DIRECTORY_MODE = 0o755;

export interface UnpackInto {
  /** Stays the caller's. */
  readonly directory: Place;
  /** Its absolute path in the tree, without links on it: what names are put behind. */
  readonly path: BytePath;
  /** A directory is not replaced by something else, nor something else by a directory. */
  readonly keepTypes: boolean;
  /** Whose everything becomes; undefined leaves it to the archive. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly signal: AbortSignal;
}

interface Unpacking {
  readonly tree: RootedTree;
  readonly into: UnpackInto;
  readonly root: readonly BytePath[];
  /** Of the last entry: archives list a directory's files one after the other. */
  parent: { readonly path: BytePath; readonly place: Place } | undefined;
  readonly directories: { readonly parts: readonly BytePath[]; readonly record: TarRecord }[];
}

/**
 * Unpacks a tar without compression into a directory of a tree, entry by entry as it arrives.
 *
 * An existing directory is kept when the archive has one of that name, everything else is replaced. Links that are there already are
 * followed inside the tree. Nothing is undone after a failure: what came before it stays, as with Docker.
 *
 * @throws EngineError 'internal' in Docker's words for names and links that lead out of the directory, and for types that
 *   `keepTypes` protects; as `decodeTar`; an errno error; `signal.reason`.
 */
export async function unpackInto(tree: RootedTree, source: AsyncIterable<Uint8Array>, into: UnpackInto): Promise<void> {
  const work: Unpacking = { tree, into, root: pathParts(into.path), parent: undefined, directories: [] };
  try {
    for await (const entry of decodeTar(source)) {
      into.signal.throwIfAborted();
      await unpackEntry(work, entry);
    }
    for (const { parts, record } of work.directories) await setDirectoryTimes(work, parts, record);
  } finally {
    work.parent?.place[Symbol.dispose]();
  }
}

async function unpackEntry(work: Unpacking, { record, content }: TarEntryRead): Promise<void> {
  const parts = withinRoot(work, record.name);
  if (parts === undefined) throw outside(work, record.name);
  const name = parts.at(-1);
  // The directory itself: its owner and times are not the archive's to say.
  if (name === undefined) return;
  const parent = await parentOf(work, parts.slice(0, -1));
  const target = { parent, name, record, parts };
  // Tried first, looked at only when something is there: most of an archive is new.
  for (let tries = 0; ; tries++) {
    try {
      return await make(work, target, content);
    } catch (error) {
      if (!isErrno(error, 'EEXIST') || tries === TRIES_MAX) throw error;
    }
    if (!(await makeRoom(work, target))) return await mergeDirectory(work, target);
  }
}

/** Where a name of the archive leads, from the directory; undefined when that is not inside. Only words: links are the kernel's to follow. */
function withinRoot(work: Unpacking, name: BytePath): readonly BytePath[] | undefined {
  const absolute = pathParts(`/${work.root.join('/')}/${name}`);
  return work.root.every((part, index) => absolute[index] === part) ? absolute.slice(work.root.length) : undefined;
}

interface Target {
  readonly parent: Place;
  readonly name: BytePath;
  readonly record: TarRecord;
  /** From the directory that is unpacked into. */
  readonly parts: readonly BytePath[];
}

async function parentOf(work: Unpacking, parts: readonly BytePath[]): Promise<Place> {
  if (parts.length === 0) return work.into.directory;
  const path = parts.join('/');
  if (work.parent?.path === path) return work.parent.place;
  work.parent?.place[Symbol.dispose]();
  work.parent = undefined;
  const place = await ensureDirectory(work.tree, [...work.root, ...parts], IMPLIED_DIRECTORY_MODE);
  work.parent = { path, place };
  return place;
}

/** Removes what is in the way. @returns false when there is a directory for a directory. */
async function makeRoom(work: Unpacking, { parent, name, record, parts }: Target): Promise<boolean> {
  const found = await parent.childStats(name);
  if (found === undefined) return true;
  const isDirectory = record.type === 'directory';
  if (found.isDirectory() && isDirectory) return false;
  if (work.into.keepTypes && found.isDirectory() !== isDirectory) {
    const [was, becomes] = isDirectory ? ['non-directory', 'directory'] : ['directory', 'non-directory'];
    const there = shownPath(absolutePath(work, parts));
    const where = shownPath(work.into.path);
    throw new EngineError(
      'internal',
      `cannot overwrite ${was} ${JSON.stringify(there)} with ${becomes} ${JSON.stringify(where)}`,
    );
  }
  await removeBelow(parent, name, work.into.signal);
  return true;
}

async function mergeDirectory(work: Unpacking, target: Target): Promise<void> {
  const { parent, name, record, parts } = target;
  setAttributes(parent.child(name), record);
  using place = await parent.below(name);
  await applyAppearance(place, { ...ownerOf(work, record), mode: record.mode });
  if (work.directories.length < DIRECTORIES_MAX) work.directories.push({ parts, record });
  else await applyTimes(place, record.accessedAt ?? record.modifiedAt, record.modifiedAt);
}

async function make(work: Unpacking, target: Target, content: AsyncIterable<Uint8Array>): Promise<void> {
  const { parent, name, record } = target;
  switch (record.type) {
    case 'directory':
      await mkdir(parent.child(name), 0o700);
      return await mergeDirectory(work, target);
    case 'file':
      return await makeFile(work, target, content);
    case 'symlink':
      return await makeSymlink(work, target);
    case 'hardlink':
      return await makeHardLink(work, target);
    case 'character':
    case 'block':
    case 'fifo':
      return await makeNode(work, { ...target, type: record.type });
    default:
      return record.type satisfies never;
  }
}

async function makeFile(work: Unpacking, target: Target, content: AsyncIterable<Uint8Array>): Promise<void> {
  const { parent, name, record } = target;
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  await using file = await open(parent.child(name), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
  for await (const chunk of content) {
    work.into.signal.throwIfAborted();
    for (let at = 0; at < chunk.byteLength;) at += (await file.write(chunk, at)).bytesWritten;
  }
  const { uid, gid } = ownerOf(work, record);
  await file.chown(uid, gid);
  // After the owner: a change of owner takes capabilities and setuid away.
  setAttributes(parent.child(name), record);
  await file.chmod(record.mode);
  await file.utimes(record.accessedAt ?? record.modifiedAt, record.modifiedAt);
}

async function makeSymlink(work: Unpacking, { parent, name, record, parts }: Target): Promise<void> {
  // Relative links must not name what lies above the directory; absolute ones mean the container's root. Source: moby, pkg/archive.
  if (!record.linkName.startsWith('/')) {
    const aim = withinRoot(work, [...parts.slice(0, -1), record.linkName].join('/'));
    if (aim === undefined) throw leadsOut('symlink', absolutePath(work, parts), record.linkName);
  }
  const path = parent.child(name);
  await symlink(pathBytes(record.linkName), path);
  const { uid, gid } = ownerOf(work, record);
  await lchown(path, uid, gid);
  await lutimes(path, record.accessedAt ?? record.modifiedAt, record.modifiedAt);
}

async function makeHardLink(work: Unpacking, { parent, name, record }: Target): Promise<void> {
  const parts = withinRoot(work, record.linkName);
  const aim = parts?.at(-1);
  if (parts === undefined || aim === undefined) {
    const path = `/${pathParts(`/${work.root.join('/')}/${record.linkName}`).join('/')}`;
    throw leadsOut('hardlink', path, record.linkName);
  }
  using directory = await work.tree.findDirectory(absolutePath(work, parts.slice(0, -1)));
  await link(directory.child(aim), parent.child(name));
}

async function makeNode(
  work: Unpacking,
  target: Target & { readonly type: 'character' | 'block' | 'fifo' },
): Promise<void> {
  const { parent, name, record, type } = target;
  const path = parent.child(name);
  makeDeviceNode(path, { type, mode: 0, major: record.major, minor: record.minor });
  const { uid, gid } = ownerOf(work, record);
  await lchown(path, uid, gid);
  using place = await parent.at(name);
  await applyAppearance(place, { uid, gid, mode: record.mode });
  await lutimes(path, record.accessedAt ?? record.modifiedAt, record.modifiedAt);
}

async function setDirectoryTimes(work: Unpacking, parts: readonly BytePath[], record: TarRecord): Promise<void> {
  try {
    using place = await work.tree.findDirectory(absolutePath(work, parts));
    await applyTimes(place, record.accessedAt ?? record.modifiedAt, record.modifiedAt);
  } catch (error) {
    // A later entry, or the container, put something else there.
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
  }
}

/** `trusted.overlay.*` would speak to overlayfs. What the file system cannot hold is left out, as in Docker. */
function setAttributes(path: Buffer, { attributes }: TarRecord): void {
  for (const [name, value] of attributes) {
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
    try {
      setExtendedAttribute(path, name, value);
    } catch (error) {
      if (!isErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) throw error;
    }
  }
}

function ownerOf(work: Unpacking, record: TarRecord): { readonly uid: number; readonly gid: number } {
  return work.into.owner ?? record;
}

function absolutePath(work: Unpacking, parts: readonly BytePath[]): BytePath {
  return `/${[...work.root, ...parts].join('/')}`;
}

function leadsOut(kind: 'symlink' | 'hardlink', path: BytePath, aim: BytePath): EngineError {
  return new EngineError('internal', `invalid ${kind} ${quoted(path)} -> ${quoted(aim)}`);
}

function outside(work: Unpacking, name: BytePath): EngineError {
  const where = JSON.stringify(shownPath(work.into.path));
  return new EngineError('internal', `${quoted(pathParts(name).join('/'))} is outside of ${where}`);
}

function quoted(path: BytePath): string {
  return JSON.stringify(shownPath(path));
}
