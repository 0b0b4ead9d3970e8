import { hostname } from 'node:os';
import { join } from 'node:path';
import { isContainerId, type ContainerId } from '@fairlead/protocol';
import type { ContainerFiles, EtcPaths } from '../../core/ports/container-files.ts';
import { existsAtOnce } from '../../host/at-once.ts';
import {
  listDirectory,
  makeDirectory,
  pathExists,
  readTextIfExists,
  removeTree,
  writePlainFile,
} from '../../host/files.ts';
import { ensureMounted, MOUNT_FLAGS, UNMOUNT_FLAGS, unmountPath } from '../../host/mounts.ts';
import { readInsideRoot } from '../../host/inside-root.ts';

/** Files of the host that containers inherit from are small; a larger one is refused. Our own figure. */
const HOST_FILE_BYTES_MAX = 1024 * 1024;

/** Keeps `<containers>/<id>/`: the files that are mounted over the container's own, its log and its bundle. */
export class ContainerDirectoryFiles implements ContainerFiles {
  readonly #containersDirectory: string;

  constructor(containersDirectory: string) {
    this.#containersDirectory = containersDirectory;
  }

  async writeEtc(
    id: ContainerId,
    files: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string },
  ): Promise<EtcPaths> {
    const paths = this.etcPaths(id);
    if (!existsAtOnce(this.#directory(id))) await makeDirectory(this.#directory(id), 0o710);
    // Written in place: a running container has them bind-mounted by inode.
    await Promise.all([
      writePlainFile(paths.hosts, files.hosts, 0o644),
      writePlainFile(paths.hostname, files.hostname, 0o644),
      writePlainFile(paths.resolvConf, files.resolvConf, 0o644),
    ]);
    return paths;
  }

  async updateHosts(id: ContainerId, change: (hosts: string) => string): Promise<void> {
    const { hosts: path } = this.etcPaths(id);
    const before = await readTextIfExists(path, HOST_FILE_BYTES_MAX);
    if (before === undefined) return;
    const after = change(before);
    if (after !== before) await writePlainFile(path, after, 0o644);
  }

  etcPaths(id: ContainerId): EtcPaths {
    const directory = this.#directory(id);
    return {
      hosts: join(directory, 'hosts'),
      hostname: join(directory, 'hostname'),
      resolvConf: join(directory, 'resolv.conf'),
    };
  }

  logPath(id: ContainerId): string {
    return join(this.#directory(id), 'container.log');
  }

  shmPath(id: ContainerId): string {
    return join(this.#directory(id), 'shm');
  }

  async mountShm(id: ContainerId, sizeBytes: number): Promise<string> {
    const target = this.shmPath(id);
    await makeDirectory(target, 0o700);
    const flags = MOUNT_FLAGS.noSuid | MOUNT_FLAGS.noDev | MOUNT_FLAGS.noExec;
    await ensureMounted({ source: 'shm', target, type: 'tmpfs', flags, options: `mode=1777,size=${sizeBytes}` });
    return target;
  }

  async unmountShm(id: ContainerId): Promise<void> {
    await unmountPath(this.shmPath(id), UNMOUNT_FLAGS.detach | UNMOUNT_FLAGS.noFollow);
  }

  readInside(rootPath: string, path: string, limitBytes: number): Promise<string | undefined> {
    return readInsideRoot(rootPath, path, limitBytes);
  }

  exists(path: string): Promise<boolean> {
    return pathExists(path);
  }

  async ensureBindSource(path: string): Promise<void> {
    if (!(await pathExists(path))) await makeDirectory(path);
  }

  readHost(path: string): Promise<string | undefined> {
    return readTextIfExists(path, HOST_FILE_BYTES_MAX);
  }

  hostName(): string {
    return hostname();
  }

  async remove(id: ContainerId): Promise<void> {
    await this.unmountShm(id);
    await removeTree(this.#directory(id));
  }

  async list(): Promise<readonly ContainerId[]> {
    return (await listDirectory(this.#containersDirectory)).filter(isContainerId);
  }

  #directory(id: ContainerId): string {
    return join(this.#containersDirectory, id);
  }
}
