import { EngineError } from '@fairlead/protocol';
import type {
  ArchiveHow,
  FilesystemView,
  PathFacts,
  UnpackFiles,
  ViewDirectory,
} from '../../core/ports/container-filesystem.ts';
import { bytePathOf, shownPath, type BytePath } from '../../host/byte-path.ts';
import { encodeTar } from '../../host/encode-tar.ts';
import { isErrno } from '../../host/errno.ts';
import type { Place, RootedTree } from '../../host/rooted-tree.ts';
import { tarFiles } from '../../host/tar-tree.ts';
import { unpackInto } from '../../host/unpack-into.ts';
import { readPlace, treeEntry, walkTree, type TreeEntry } from '../../host/walk-tree.ts';
import { resolveLink } from './resolve-link.ts';

/** The one extended attribute that Docker's archives carry. Source: moby, pkg/archive, ReadSecurityXattrToTarHeader. */
const ATTRIBUTES = ['security.capability'] as const;

/** A view on a tree; its owner. */
export class TreeView implements FilesystemView {
  readonly #tree: RootedTree;

  constructor(tree: RootedTree) {
    this.#tree = tree;
  }

  async stat(path: string): Promise<PathFacts | undefined> {
    const bytes = bytePathOf(path);
    using place = await this.#tree.find(bytes).catch(missing);
    if (place === undefined) return undefined;
    const stats = await place.stats();
    return {
      mode: Number(stats.mode),
      sizeBytes: Number(stats.size),
      modifiedAtNanos: stats.mtimeNs,
      linkTarget: stats.isSymbolicLink() ? shownPath(await resolveLink(bytes, (link) => this.#readLink(link))) : '',
    };
  }

  async *archive(path: string, { name, signal }: ArchiveHow): AsyncGenerator<Uint8Array, void, undefined> {
    const found = bytePathOf(path);
    using place = await this.#tree.find(found);
    const entries = name === undefined ? walkTree(place, signal) : this.#entries({ path: found, place }, signal);
    yield* encodeTar(tarFiles(entries, { rename: behind(name), attributes: ATTRIBUTES }));
  }

  async directory(path: string): Promise<ViewDirectory> {
    const place = await this.#tree.findDirectory(bytePathOf(path)).catch(notADirectory);
    try {
      return new TreeDirectory(this.#tree, place, await place.whereabouts());
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
  }

  async readText(path: string, bytesMax: number): Promise<string | undefined> {
    using place = await this.#tree.find(bytePathOf(path), { follow: true }).catch(missing);
    return place === undefined ? undefined : await readPlace(place, bytesMax);
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }

  /** The thing itself, then what is below it. */
  async *#entries(
    found: { readonly path: BytePath; readonly place: Place },
    signal: AbortSignal,
  ): AsyncGenerator<TreeEntry, void, undefined> {
    const stats = await found.place.stats();
    if (stats.isDirectory()) {
      yield { path: '', name: '', stats, readLink: noLink, open: nothing, attribute: () => undefined };
      return yield* walkTree(found.place, signal);
    }
    const slash = found.path.lastIndexOf('/');
    using parent = await this.#tree.findDirectory(found.path.slice(0, slash + 1));
    yield treeEntry(parent, { path: '', name: found.path.slice(slash + 1), stats });
  }

  /** What a link says; undefined when there is something else, or nothing. */
  async #readLink(path: BytePath): Promise<BytePath | undefined> {
    const slash = path.lastIndexOf('/');
    using parent = await this.#tree.findDirectory(path.slice(0, slash + 1) || '/').catch(missing);
    return await parent?.readLink(path.slice(slash + 1)).catch(notALink);
  }
}

class TreeDirectory implements ViewDirectory {
  readonly #tree: RootedTree;
  readonly #place: Place;
  readonly #path: BytePath;

  constructor(tree: RootedTree, place: Place, path: BytePath) {
    this.#tree = tree;
    this.#place = place;
    this.#path = path;
  }

  get path(): string {
    return shownPath(this.#path);
  }

  async unpack(source: AsyncIterable<Uint8Array>, options: UnpackFiles): Promise<void> {
    await unpackInto(this.#tree, source, { ...options, directory: this.#place, path: this.#path });
  }

  [Symbol.dispose](): void {
    this.#place[Symbol.dispose]();
  }
}

function behind(name: string | undefined): (path: BytePath) => BytePath {
  if (name === undefined) return (path) => path;
  const base = bytePathOf(name);
  const slash = base.endsWith('/') ? '' : '/';
  return (path) => (path === '' ? base : `${base}${slash}${path}`);
}

async function noLink(): Promise<BytePath> {
  return '';
}

async function nothing(): Promise<undefined> {
  // A directory is not read.
}

function notADirectory(error: unknown): never {
  if (!isErrno(error, 'ENOTDIR')) throw error;
  throw new EngineError('invalid-argument', 'extraction point is not a directory', { cause: error });
}

function notALink(error: unknown): undefined {
  if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error;
}

function missing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
}
