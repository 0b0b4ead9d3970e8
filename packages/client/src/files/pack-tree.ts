import { encodeTar, type TarFile, type TarRecordType } from '@fairlead/protocol/tar';
import { type BigIntStats, createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What of a tree goes into a tar, and how. */
export interface PackOptions {
  /** Whether a path, relative to the tree, is left out. Default: none is. */
  readonly ignores?: ((path: string, isDirectory: boolean) => boolean) | undefined;
  /** Whether an ignored directory may be skipped without a look at what is in it. Default: it may. */
  readonly mayPrune?: boolean | undefined;
  /** What the tree itself is called in the tar; absent: its content stands at the top. */
  readonly name?: string | undefined;
  /** Everything belongs to root, as in a build context. Default: owners are kept. */
  readonly ownedByRoot?: boolean | undefined;
}

/** Read in pieces of this size. */
const READ_BYTES: number = 256 * 1024;

/**
 * A file, link or directory with everything in it as a tar, in the order of names. Links stay links; sockets, pipes and devices are left
 * out. Holds one piece of a file and one directory's names per level.
 *
 * @throws the file system's error.
 */
export function packTree(root: string, options: PackOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  return encodeTar(filesOf(root, options));
}

async function* filesOf(root: string, options: PackOptions): AsyncGenerator<TarFile, void, undefined> {
  const { name } = options;
  const stat = await lstat(root, { bigint: true });
  if (name !== undefined) yield* entryOf({ path: root, name, stat }, options);
  if (stat.isDirectory()) yield* below({ root, path: '' }, options);
}

async function* below(
  at: { readonly root: string; readonly path: string },
  options: PackOptions,
): AsyncGenerator<TarFile, void, undefined> {
  const { ignores, mayPrune = true, name: rootName } = options;
  const names = await readdir(join(at.root, at.path));
  for (const name of names.sort()) {
    const path = at.path === '' ? name : `${at.path}/${name}`;
    const stat = await lstat(join(at.root, path), { bigint: true });
    const ignored = ignores?.(path, stat.isDirectory()) ?? false;
    const inTar = rootName === undefined ? path : `${rootName}/${path}`;
    if (!ignored) yield* entryOf({ path: join(at.root, path), name: inTar, stat }, options);
    if (stat.isDirectory() && !(ignored && mayPrune)) yield* below({ root: at.root, path }, options);
  }
}

async function* entryOf(
  { path, name, stat }: { readonly path: string; readonly name: string; readonly stat: BigIntStats },
  { ownedByRoot = false }: PackOptions,
): AsyncGenerator<TarFile, void, undefined> {
  const type = typeOf(stat);
  if (type === undefined) return;
  const linkName = type === 'symlink' ? await readlink(path, { encoding: 'buffer' }) : Buffer.alloc(0);
  yield {
    record: {
      name: Buffer.from(name, 'utf8').toString('latin1'),
      type,
      mode: Number(stat.mode) & 0o7777,
      uid: ownedByRoot ? 0 : Number(stat.uid),
      gid: ownedByRoot ? 0 : Number(stat.gid),
      sizeBytes: type === 'file' ? Number(stat.size) : 0,
      modifiedAt: new Date(Number(stat.mtimeMs)),
      accessedAt: undefined,
      linkName: linkName.toString('latin1'),
      major: 0,
      minor: 0,
      attributes: new Map(),
    },
    content: type === 'file' && stat.size > 0n ? createReadStream(path, { highWaterMark: READ_BYTES }) : nothing(),
  };
}

function typeOf(stat: BigIntStats): TarRecordType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'symlink' : undefined;
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
