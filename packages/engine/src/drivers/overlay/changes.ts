import { type BytePath, shownPath } from '@fairlead/protocol/tar';
import type { LayerChange } from '../../core/ports/snapshotter.ts';
import { isWhiteout, LowerDirectory } from '../../host/lower-tree.ts';
import { RootedTree, type FileStats } from '../../host/rooted-tree.ts';
import { walkTree, type TreeEntry } from '../../host/walk-tree.ts';

/** Attribute of a directory of the writable layer that hides what is below it. */
const OPAQUE = 'trusted.overlay.opaque';

/** A directory of the writable layer on the way, with what lies below it. */
interface Level {
  readonly path: BytePath;
  /** Undefined when there is nothing below: all in it is new. */
  readonly lower: LowerDirectory | undefined;
}

/**
 * What a writable layer changes in the layers below it. Only what the layer holds is looked at, not the image.
 * @param upper its directory @param lower the directories below it, the topmost first @throws signal.reason.
 */
export async function layerChanges(
  upper: string,
  lower: readonly string[],
  signal: AbortSignal,
): Promise<readonly LayerChange[]> {
  using tree = await RootedTree.open(upper);
  using root = await tree.findDirectory('/');
  const changes = new Changes();
  const levels: Level[] = [{ path: '', lower: LowerDirectory.stack(lower) }];
  for await (const entry of walkTree(root, { signal, contentBytesMax: 0 })) {
    while (!isInside(entry.path, levels.at(-1)?.path ?? '')) levels.pop();
    const below = levels.at(-1)?.lower;
    const before = await below?.find(entry.name);
    if (isWhiteout(entry.stats)) {
      // It may hide something that the container itself made and took away again.
      if (before !== undefined) changes.add('deleted', entry.path);
      continue;
    }
    note(changes, entry, before);
    if (!entry.stats.isDirectory()) continue;
    const inner = before?.isDirectory() === true ? await below?.enter(entry.name) : undefined;
    levels.push({ path: entry.path, lower: inner });
    if (inner !== undefined && isOpaque(entry)) await noteHidden(changes, { entry, inner, upper: tree });
  }
  return changes.list;
}

function note(changes: Changes, entry: TreeEntry, before: FileStats | undefined): void {
  if (before === undefined) changes.add('added', entry.path);
  // Copied up without a change, or a directory on the way to one, which is told when there is one.
  else if (!looksSame(entry.stats, before)) changes.add('modified', entry.path);
}

/** Names of an opaque directory's lower part that are not in it any more. */
async function noteHidden(
  changes: Changes,
  at: { readonly entry: TreeEntry; readonly inner: LowerDirectory; readonly upper: RootedTree },
): Promise<void> {
  using directory = await at.upper.findDirectory(`/${at.entry.path}`);
  const present = new Set(await directory.names());
  for (const name of await at.inner.names()) {
    if (!present.has(name)) changes.add('deleted', `${at.entry.path}/${name}`);
  }
}

function isOpaque(entry: TreeEntry): boolean {
  return Buffer.from(entry.attribute(OPAQUE) ?? []).toString('latin1') === 'y';
}

/** Source: moby, pkg/archive/changes_unix.go, statDifferent: of directories size and time say nothing. */
function looksSame(one: FileStats, other: FileStats): boolean {
  const { mode, uid, gid, rdev, size } = one;
  if (mode !== other.mode || uid !== other.uid || gid !== other.gid || rdev !== other.rdev) return false;
  return one.isDirectory() || (size === other.size && sameTime(one, other));
}

/** Tars hold whole seconds, so a layer that came as one has no more. */
function sameTime(one: FileStats, other: FileStats): boolean {
  if (one.mtimeNs === other.mtimeNs) return true;
  const [first, second] = [one.mtimeNs % NANOS, other.mtimeNs % NANOS];
  return one.mtimeNs / NANOS === other.mtimeNs / NANOS && (first === 0n || second === 0n);
}

const NANOS = 1_000_000_000n;

function isInside(path: BytePath, directory: BytePath): boolean {
  return directory === '' || path.startsWith(`${directory}/`);
}

/** Collects changes, each directory above one as modified before it. */
class Changes {
  readonly list: LayerChange[] = [];
  readonly #told = new Set<BytePath>();

  add(kind: LayerChange['kind'], path: BytePath): void {
    this.#tellAbove(path);
    this.#tell(kind, path);
  }

  #tellAbove(path: BytePath): void {
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const above = path.slice(0, slash);
      if (!this.#told.has(above)) this.#tell('modified', above);
    }
  }

  #tell(kind: LayerChange['kind'], path: BytePath): void {
    this.#told.add(path);
    this.list.push({ path: shownPath(`/${path}`), kind });
  }
}
