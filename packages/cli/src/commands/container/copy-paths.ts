import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';

/** How both directions copy. */
export interface CopyFlags {
  /** Keeps owners. */
  readonly archive: boolean;
  /** Copies what a link at the source points to. */
  readonly followLink: boolean;
  /** Says nothing of a success. */
  readonly quiet: boolean;
}

/** One side of a copy that is a container. */
export interface ContainerSide {
  readonly container: string;
  readonly path: string;
}

/** What stands at a destination. */
export type PlaceKind = 'nothing' | 'directory' | 'other';

/** Where a tar is unpacked, and what its first part is called there. */
export interface Landing {
  /** An existing directory. */
  readonly directory: string;
  /** Undefined: the content of the source goes into the directory itself, or keeps its name. */
  readonly name: string | undefined;
}

/**
 * Decides what a copy makes: `cp a DIR` makes `DIR/a`, `cp a/. DIR` fills DIR, `cp a new` makes `new`.
 *
 * @throws ExitError where Docker refuses. Source: moby pkg/archive/copy.go, PrepareArchiveCopy.
 */
export function landingOf(
  source: { readonly path: string; readonly isDirectory: boolean },
  target: { readonly path: string; readonly kind: PlaceKind },
): Landing {
  if (target.kind === 'directory') {
    return { directory: target.path, name: namesContent(source.path) ? undefined : baseName(source.path) };
  }
  if (target.kind === 'other' && source.isDirectory) throw new ExitError(EXIT_FAILURE, 'cannot copy directory');
  if (target.kind === 'nothing' && !source.isDirectory && /(^|\/)\.?$/.test(target.path)) {
    throw new ExitError(EXIT_FAILURE, 'no such directory');
  }
  return { directory: parentOf(target.path), name: baseName(target.path) };
}

/** `a/.`: not the directory, what is in it. */
export function namesContent(path: string): boolean {
  return /(^|\/)\.$/.test(path);
}

/** The last part; of `a/` and `a/.` too. */
export function baseName(path: string): string {
  return path.replace(/(\/\.?)+$/, '').replace(/^.*\//, '');
}

/** The directory that a path's last part is in. */
export function parentOf(path: string): string {
  const parent = path.replace(/(\/\.?)+$/, '').replace(/[^/]+$/, '');
  return parent === '' ? (path.startsWith('/') ? '/' : '.') : parent;
}
