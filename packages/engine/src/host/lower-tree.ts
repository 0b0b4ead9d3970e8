import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { bytePath, type BytePath, pathBytes } from '@fairlead/protocol/tar';
import { isErrno } from './errno.ts';
import { getExtendedAttribute } from './file-nodes.ts';

/**
 * A directory as overlayfs shows it from read-only directories that lie on each other: upper names hide lower ones, whiteouts hide
 * names, an opaque directory hides all that is below it. Only for directories that nobody changes: paths are looked up one by one.
 */
export class LowerDirectory {
  /** One directory of each layer that has a part in it, the topmost first. */
  readonly #directories: readonly Buffer[];

  private constructor(directories: readonly Buffer[]) {
    this.#directories = directories;
  }

  /** @param roots absolute paths, the topmost first */
  static stack(roots: readonly string[]): LowerDirectory {
    return new LowerDirectory(roots.map((root) => Buffer.from(root)));
  }

  /** What there is under a name, links themselves; undefined when there is nothing, or a whiteout. */
  async find(name: BytePath): Promise<BigIntStats | undefined> {
    for (const directory of this.#directories) {
      const stats = await lstat(below(directory, name), { bigint: true }).catch(missing);
      if (stats !== undefined) return isWhiteout(stats) ? undefined : stats;
    }
    return undefined;
  }

  /** A directory of this one; undefined when there is none of that name. */
  async enter(name: BytePath): Promise<LowerDirectory | undefined> {
    const found: Buffer[] = [];
    for (const directory of this.#directories) {
      const path = below(directory, name);
      const stats = await lstat(path, { bigint: true }).catch(missing);
      if (stats === undefined) continue;
      if (!stats.isDirectory()) break;
      found.push(path);
      if (isOpaque(path)) break;
    }
    return found.length === 0 ? undefined : new LowerDirectory(found);
  }

  /** Absolute path of its topmost part, whose owner, mode and times it has. */
  get topmost(): string {
    return this.#directories[0]?.toString() ?? '';
  }

  /** Names that are to be seen, in the order of their bytes. */
  async names(): Promise<readonly BytePath[]> {
    const names = new Set<BytePath>();
    for (const directory of this.#directories) {
      for (const name of await readdir(directory, { encoding: 'buffer' })) names.add(bytePath(name));
    }
    const seen = await Promise.all(
      [...names].map(async (name) => ((await this.find(name)) === undefined ? [] : [name])),
    );
    return seen.flat().toSorted((one, other) => (one < other ? -1 : 1));
  }
}

/** A character device 0:0 says that a lower name is gone. Source: Documentation/filesystems/overlayfs.rst. */
export function isWhiteout(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

function isOpaque(path: Buffer): boolean {
  return getExtendedAttribute(path, 'trusted.overlay.opaque')?.toString('latin1') === 'y';
}

function below(directory: Buffer, name: BytePath): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), pathBytes(name)]);
}

function missing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
}
