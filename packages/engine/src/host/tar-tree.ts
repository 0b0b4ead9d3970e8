import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { BytePath, TarFile, TarRecord, TarRecordType } from '@fairlead/protocol/tar';
import { splitDeviceNumber } from './device-nodes.ts';
import type { TreeEntry } from './walk-tree.ts';

/** What one read of a file takes at most. */
const READ_BYTES_MAX: number = 256 * 1024;

/** Files up to this size are read ahead of their turn. */
export const SMALL_FILE_BYTES_MAX: number = 64 * 1024;

/** Files with several names whose first name is remembered; beyond them a name becomes a file of its own. */
const LINKED_FILES_MAX = 1_000_000;

export interface TarTreeOptions {
  /** The name in the archive for a path in the tree. */
  readonly rename: (path: BytePath) => BytePath;
  /** Extended attributes that go into the archive, where a file has them. */
  readonly attributes: readonly string[];
}

/**
 * Files of a tree as files of a tar: names of one file after its first become hard links; sockets are left out, as in every tar.
 */
export async function* tarFiles(
  entries: AsyncIterable<TreeEntry>,
  options: TarTreeOptions,
): AsyncGenerator<TarFile, void, undefined> {
  const linked = new Map<string, BytePath>();
  for await (const entry of entries) {
    const name = options.rename(entry.path);
    const first = firstNameOf(entry.stats, { linked, name });
    if (first !== undefined) {
      yield hardLink(entry.stats, name, first);
      continue;
    }
    let found = false;
    for await (const file of tarFile(entry, name, options.attributes)) {
      found = true;
      yield file;
    }
    // Gone meanwhile: no link may point at what is not in the archive.
    if (!found) linked.delete(identityOf(entry.stats));
  }
}

/** One entry as a file of a tar; nothing for what a tar cannot hold, or what became something else meanwhile. */
export async function* tarFile(
  entry: TreeEntry,
  name: BytePath,
  attributes: readonly string[],
): AsyncGenerator<TarFile, void, undefined> {
  const type = typeOf(entry.stats);
  if (type === undefined) return;
  if (type !== 'file') {
    const linkName = type === 'symlink' ? await entry.readLink() : '';
    if (linkName === undefined) return;
    yield { record: { ...tarRecord(entry.stats, name, type), linkName }, content: NO_CONTENT };
    return;
  }
  if (entry.small !== undefined) {
    const { stats, content } = entry.small;
    const record = { ...tarRecord(stats, name, type), attributes: attributesOf(entry, attributes) };
    yield { record, content: only(content) };
    return;
  }
  await using file = await entry.open();
  const stats = await file?.stat({ bigint: true });
  if (file === undefined || stats?.isFile() !== true) return;
  const record = { ...tarRecord(stats, name, type), attributes: attributesOf(entry, attributes) };
  yield { record, content: fileContent(file, record.sizeBytes) };
}

/** What a tar says about a file with these facts, its content and where it points apart. */
export function tarRecord(stats: BigIntStats, name: BytePath, type: TarRecordType): TarRecord {
  const device = type === 'character' || type === 'block';
  return {
    name,
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: type === 'file' ? Number(stats.size) : 0,
    modifiedAt: new Date(Number(stats.mtimeMs)),
    accessedAt: undefined,
    linkName: '',
    ...splitDeviceNumber(device ? stats.rdev : 0n),
    attributes: new Map(),
  };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** No bytes. */
export const NO_CONTENT: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {
    // Nothing but files has content.
  },
};

/** Up to `bytesMax` bytes from the start of a file, each read in a buffer of its own. */
export async function* fileContent(file: FileHandle, bytesMax: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = bytesMax; left > 0;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(left, READ_BYTES_MAX));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function firstNameOf(
  stats: BigIntStats,
  seen: { readonly linked: Map<string, BytePath>; readonly name: BytePath },
): BytePath | undefined {
  if (stats.nlink < 2n || stats.isDirectory() || stats.isSocket()) return undefined;
  const identity = identityOf(stats);
  const first = seen.linked.get(identity);
  if (first === undefined && seen.linked.size < LINKED_FILES_MAX) seen.linked.set(identity, seen.name);
  return first;
}

function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

function hardLink(stats: BigIntStats, name: BytePath, first: BytePath): TarFile {
  return { record: { ...tarRecord(stats, name, 'hardlink'), linkName: first }, content: NO_CONTENT };
}

function typeOf(stats: BigIntStats): TarRecordType | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isCharacterDevice()) return 'character';
  if (stats.isBlockDevice()) return 'block';
  return stats.isFIFO() ? 'fifo' : undefined;
}

function attributesOf(entry: TreeEntry, names: readonly string[]): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of names) {
    const value = entry.attribute(name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
