import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import type { StoredVolume, VolumeFilling, VolumeMount, VolumeStore } from '../../core/ports/volume-store.ts';
import { copyTree, isEmptyDirectory, kindOf } from '../../host/copy-tree.ts';
import {
  listDirectory,
  makeDirectory,
  modifiedAt,
  movePath,
  removeEmptyDirectory,
  removeTree,
} from '../../host/files.ts';
import { isErrno } from '../../host/errno.ts';
import { setMode } from '../../host/file-times.ts';
import { resolveInsideRoot } from '../../host/inside-root.ts';
import { mountDevice } from '../../host/mount-options.ts';
import { listMounts, unmountPath } from '../../host/mounts.ts';
import { treeSizeBytes } from '../../host/tree-size.ts';

/** Names of volumes begin with a letter or digit, so these are none. */
const REMOVED_PREFIX = '.removed-';
const FILLING = '_filling';

/** Keeps `<volumes>/<name>/_data`, where Docker has it, too. */
export class DirectoryVolumeStore implements VolumeStore {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory of volumes. */
  static async open(directory: string): Promise<DirectoryVolumeStore> {
    await makeDirectory(directory, 0o701);
    return new DirectoryVolumeStore(directory);
  }

  path(name: string): string {
    return join(this.#directory, name, '_data');
  }

  async make(name: string): Promise<void> {
    const path = this.path(name);
    if ((await kindOf(path)) === 'directory') return;
    await makeDirectory(join(this.#directory, name), 0o701);
    await makeDirectory(path);
    // Whatever the engine's umask says: users of containers are not the engine's.
    await setMode(path, 0o755);
  }

  async remove(name: string): Promise<void> {
    await this.unmount(name);
    const [mounted] = await listMounts(join(this.#directory, name));
    // Deleting what is below it would delete somebody's files elsewhere.
    if (mounted !== undefined) {
      throw new EngineError('conflict', `remove ${name}: something is mounted at ${mounted.target}`);
    }
    const removed = join(this.#directory, `${REMOVED_PREFIX}${randomBytes(8).toString('hex')}`);
    try {
      await movePath(join(this.#directory, name), removed);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      throw error;
    }
    await removeTree(removed);
  }

  async list(): Promise<readonly StoredVolume[]> {
    const volumes: StoredVolume[] = [];
    for (const name of await listDirectory(this.#directory)) {
      const path = this.path(name);
      if (name.startsWith('.') || (await kindOf(path)) !== 'directory') continue;
      const at = (await modifiedAt(path)) ?? new Date(0);
      volumes.push({ name, modifiedAt: at, empty: await isEmptyDirectory(path) });
    }
    return volumes;
  }

  async tidy(): Promise<void> {
    for (const name of await listDirectory(this.#directory)) {
      const path = join(this.#directory, name);
      if (name.startsWith(REMOVED_PREFIX)) await removeTree(path);
      else await this.#tidyOne(path);
    }
  }

  async #tidyOne(path: string): Promise<void> {
    await removeTree(join(path, FILLING));
    if ((await kindOf(join(path, '_data'))) !== 'nothing') return;
    try {
      await removeEmptyDirectory(path);
    } catch (error) {
      // Something that is no volume's: not ours to delete.
      if (!isErrno(error, 'ENOTEMPTY', 'ENOTDIR')) throw error;
    }
  }

  async usageBytes(name: string): Promise<number> {
    return await treeSizeBytes(this.path(name));
  }

  async fill(name: string, filling: VolumeFilling): Promise<void> {
    const source = await resolveInsideRoot(filling.rootPath, filling.path);
    const kind = source === undefined ? 'nothing' : await kindOf(source);
    if (kind === 'other') {
      throw new EngineError('internal', `cannot mount volume over existing file, file exists ${filling.path}`);
    }
    const path = this.path(name);
    if (source === undefined || kind === 'nothing' || !(await isEmptyDirectory(path))) return;
    if (filling.inUse) return await copyTree(source, path);
    const staged = join(this.#directory, name, FILLING);
    await removeTree(staged);
    await copyTree(source, staged);
    await movePath(staged, path);
  }

  async mount(name: string, request: VolumeMount): Promise<void> {
    const target = this.path(name);
    try {
      await mountDevice({ ...request, target });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const words = `error while mounting volume '${target}': failed to mount local volume: ${reason}`;
      throw new EngineError('internal', words, { cause });
    }
  }

  async unmount(name: string): Promise<void> {
    await unmountPath(this.path(name));
  }
}
