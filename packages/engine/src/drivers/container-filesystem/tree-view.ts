import { EngineError } from '@fairlead/protocol';
import { type BytePath, bytePathOf, encodeTar, shownPath } from '@fairlead/protocol/tar';
import type {
  ArchiveHow,
  FilesystemView,
  FoundPath,
  PathFacts,
  UnpackFiles,
  ViewDirectory,
} from '../../core/ports/container-filesystem.ts';
import { isErrno } from '../../host/errno.ts';
import type { FileStats, Place, RootedTree } from '../../host/rooted-tree.ts';
import { SMALL_FILE_BYTES_MAX, tarFiles } from '../../host/tar-tree.ts';
import { unpackInto } from '../../host/unpack-into.ts';
import { readPlace, treeEntry, walkTree, type TreeEntry, type WalkTree } from '../../host/walk-tree.ts';
import { resolveLink } from './resolve-link.ts';

/** The one extended attribute that Docker's archives carry. Source: moby, pkg/archive, ReadSecurityXattrToTarHeader. */
const ATTRIBUTES = ['security.capability'] as const;

/** A view on a tree; its owner. */
export class TreeView implements FilesystemView {
  readonly #tree: RootedTree;

  constructor(tree: RootedTree) {
    this.#tree = tree;
  }

  async find(path: string): Promise<FoundPath | undefined> {
    const bytes = bytePathOf(path);
    await using undo = new AsyncDisposableStack();
    const place = await this.#tree.find(bytes).catch(missing);
    if (place === undefined) return undefined;
    undo.use(place);
    const stats = await place.stats();
    // A link, or a file, is read through the directory it is in: that is held, too.
    const parent = stats.isDirectory() ? undefined : await this.#parentOf(bytes);
    if (parent !== undefined) undo.use(parent);
    const target = stats.isSymbolicLink() ? await resolveLink(bytes, (link) => this.#readLink(link)) : '';
    const facts = {
      mode: Number(stats.mode),
      sizeBytes: Number(stats.size),
      modifiedAtNanos: stats.mtimeNs,
      linkTarget: shownPath(target),
    };
    undo.move();
    return new TreePath({ place, stats, parent, name: lastPart(bytes) }, facts);
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

  async #parentOf(path: BytePath): Promise<Place | undefined> {
    return await this.#tree.findDirectory(path.slice(0, path.lastIndexOf('/') + 1) || '/').catch(missing);
  }

  /** What a link says; undefined when there is something else, or nothing. */
  async #readLink(path: BytePath): Promise<BytePath | undefined> {
    using parent = await this.#parentOf(path);
    return await parent?.readLink(lastPart(path)).catch(notALink);
  }
}

interface Found {
  readonly place: Place;
  readonly stats: FileStats;
  /** Undefined for a directory. */
  readonly parent: Place | undefined;
  readonly name: BytePath;
}

class TreePath implements FoundPath {
  readonly facts: PathFacts;
  readonly #found: Found;

  constructor(found: Found, facts: PathFacts) {
    this.#found = found;
    this.facts = facts;
  }

  async *archive({ name, signal }: ArchiveHow): AsyncGenerator<Uint8Array, void, undefined> {
    const entries = name === undefined ? walkTree(this.#found.place, reading(signal)) : this.#entries(signal);
    yield* encodeTar(tarFiles(entries, { rename: behind(name), attributes: ATTRIBUTES }));
  }

  [Symbol.dispose](): void {
    this.#found.place[Symbol.dispose]();
    this.#found.parent?.[Symbol.dispose]();
  }

  /** The thing itself, then what is below it. */
  async *#entries(signal: AbortSignal): AsyncGenerator<TreeEntry, void, undefined> {
    const { place, stats, parent, name } = this.#found;
    if (parent !== undefined) {
      yield treeEntry(parent, { path: '', name, stats });
      return;
    }
    yield { path: '', name: '', stats, small: undefined, readLink: nothing, open: nothing, attribute: () => undefined };
    yield* walkTree(place, reading(signal));
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

function reading(signal: AbortSignal): WalkTree {
  return { signal, contentBytesMax: SMALL_FILE_BYTES_MAX };
}

function lastPart(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf('/') + 1);
}

function behind(name: string | undefined): (path: BytePath) => BytePath {
  if (name === undefined) return (path) => path;
  const base = bytePathOf(name);
  const slash = base.endsWith('/') ? '' : '/';
  return (path) => (path === '' ? base : `${base}${slash}${path}`);
}

async function nothing(): Promise<undefined> {
  // A directory is neither.
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
