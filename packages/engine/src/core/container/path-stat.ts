import type { ContainerPathStat } from '@fairlead/protocol';
import { formatTimestamp } from '@fairlead/protocol';
import type { PathFacts } from '../ports/container-filesystem.ts';

/** Bits of st_mode. Source: inode(7). */
const S_IFMT = 0o170_000;
const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_ISVTX = 0o1000;

/** Bits of Go's os.FileMode. Source: Go, io/fs, FileMode. */
const GO_TYPES: ReadonlyMap<number, number> = new Map([
  [0o040_000, 2 ** 31], // directory
  [0o120_000, 2 ** 27], // symbolic link
  [0o060_000, 2 ** 26], // block device
  [0o020_000, 2 ** 26 + 2 ** 21], // character device
  [0o010_000, 2 ** 25], // FIFO
  [0o140_000, 2 ** 24], // socket
]);
const GO_SETUID: number = 2 ** 23;
const GO_SETGID: number = 2 ** 22;
const GO_STICKY: number = 2 ** 20;

/** What Docker tells about a path in a header. Source: engine-api 8.5. */
export function pathStat(path: string, facts: PathFacts): ContainerPathStat {
  return {
    name: archiveName(path),
    size: facts.sizeBytes,
    mode: goFileMode(facts.mode),
    mtime: formatTimestamp(facts.modifiedAtNanos),
    linkTarget: facts.linkTarget,
  };
}

/** st_mode as Go writes it. */
export function goFileMode(mode: number): number {
  const bits = [
    GO_TYPES.get(mode & S_IFMT) ?? 0,
    (mode & S_ISUID) === 0 ? 0 : GO_SETUID,
    (mode & S_ISGID) === 0 ? 0 : GO_SETGID,
    (mode & S_ISVTX) === 0 ? 0 : GO_STICKY,
  ];
  // Added, not or-ed: the directory's bit is beyond what JavaScript's `|` takes for positive.
  return bits.reduce((sum, bit) => sum + bit, mode & 0o777);
}

/**
 * A path as Docker takes it: from the root whatever it begins with, `..` taken out, and a slash or `/.` at its end kept, because it
 * means "the directory that this leads to". Source: moby, pkg/archive, PreserveTrailingDotOrSeparator.
 */
export function containerPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  const clean = `/${kept.join('/')}`;
  const slash = clean === '/' ? '' : '/';
  if (path === '.' || path.endsWith('/.')) return `${clean}${slash}.`;
  return path.endsWith('/') ? `${clean}${slash}` : clean;
}

/** What entries of an archive of this path begin with: its last part. Source: Go, path/filepath, Base. */
export function archiveName(path: string): string {
  return path.split('/').findLast((part) => part !== '') ?? '/';
}
