import type { ProcessRef } from './container-runtime.ts';

/** Something that is mounted in a container, as a view of its files shows it. */
export type ViewMount =
  | {
      readonly kind: 'bind';
      /** Absolute path on the host: a directory or a file. */
      readonly source: string;
      readonly target: string;
      readonly recursive: boolean;
      /** `all-below`: also what is mounted below the source. */
      readonly readOnly: 'no' | 'itself' | 'all-below';
    }
  /** The running container's own; of one that does not run, an empty one that cannot be written to. */
  | { readonly kind: 'tmpfs'; readonly target: string };

/** What to look into. */
export interface OpenView {
  /** Host path of the mounted root filesystem. */
  readonly rootPath: string;
  /** In the order they are made. A target that is not there is made, as at a start. */
  readonly mounts: readonly ViewMount[];
  /** The container's first process while it runs. */
  readonly process: ProcessRef | undefined;
}

/** Facts about one path. */
export interface PathFacts {
  /** st_mode, with the bits of the type. Source: inode(7). */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Since 1970. */
  readonly modifiedAtNanos: bigint;
  /** Where a symbolic link leads, from the container's root, as far as there is something; empty for all else. */
  readonly linkTarget: string;
}

/** Something in a view, held open: what happens to its path later does not matter. */
export interface FoundPath extends Disposable {
  readonly facts: PathFacts;
  /**
   * A tar of it, its entries named `name` and `name/…`; without a name what is in this directory, by its own names.
   * Symbolic links stay links. What vanishes meanwhile is left out. Breaking off the iteration frees what it holds.
   * @throws `signal.reason`; an errno error.
   */
  archive(how: ArchiveHow): AsyncIterable<Uint8Array>;
}

/** How something is archived. */
export interface ArchiveHow {
  readonly name: string | undefined;
  readonly signal: AbortSignal;
}

/** How files are put into a directory. */
export interface UnpackFiles {
  /** A directory is not replaced by something else, nor something else by a directory. */
  readonly keepTypes: boolean;
  /** Whose everything becomes; undefined leaves it to the archive. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly signal: AbortSignal;
}

/** A directory of a view, held open. */
export interface ViewDirectory extends Disposable {
  /** Its absolute path in the container, without links on it. */
  readonly path: string;
  /**
   * Unpacks a tar without compression here, entry by entry as it arrives. Nothing is undone after a failure.
   * @throws EngineError 'internal' in Docker's words for what leads out of the directory and for types that `keepTypes` protects,
   *   and in Go's for what is no tar; an errno error; an error of `source`; `signal.reason`.
   */
  unpack(source: AsyncIterable<Uint8Array>, options: UnpackFiles): Promise<void>;
}

/**
 * A container's files as the container sees them, without /proc, /dev and /sys. Links and `..` end at its root, whoever changes
 * what there is meanwhile. Paths are absolute; one that ends in a slash or `/.` is that of a directory, through links.
 * To be disposed when nothing of it is used any more.
 */
export interface FilesystemView extends Disposable {
  /** Finds something, links themselves; undefined when there is nothing. @throws an errno error: 'ENOTDIR', 'ELOOP'. */
  find(path: string): Promise<FoundPath | undefined>;
  /** @throws EngineError 'invalid-argument' `extraction point is not a directory`; an errno error: 'ENOENT'. */
  directory(path: string): Promise<ViewDirectory>;
  /** A text file, through links; undefined when there is none. @throws EngineError 'too-large'. */
  readText(path: string, bytesMax: number): Promise<string | undefined>;
}

/** Looks into containers from outside. */
export interface ContainerFilesystem {
  /** @throws EngineError 'invalid-argument' for a bind whose source is gone, 'internal' with the place for what cannot be mounted. */
  open(request: OpenView): Promise<FilesystemView>;
}
