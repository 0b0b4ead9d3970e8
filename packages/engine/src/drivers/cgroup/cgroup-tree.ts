import { join, normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '@fairlead/protocol';
import type { Cgroups, LiftedLimit } from '../../core/ports/cgroups.ts';
import { readTextAtOnce } from '../../host/at-once.ts';
import { isErrno } from '../../host/errno.ts';
import { removeEmptyDirectories, removeEmptyDirectory, writeKernelFile } from '../../host/files.ts';
import { listSubdirectories } from '../../host/subdirectories.ts';
import { findProcess, readCgroupPids, signalProcess } from '../../host/proc.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

const SIGKILL = 9;
/** How long the kernel may take to empty a group after SIGKILL; more means a process that cannot be killed. */
const EMPTY_MS = 2_000;
/** A cgroup v1 hierarchy tells nobody when it became empty, so its removal is tried again after this. */
const RETRY_MS = 5;
/** cgroup v1 hierarchies that have every process of a container, the cheapest to read first. */
const PROCESS_CONTROLLERS = ['pids', 'freezer', 'devices', 'memory', 'cpu', 'systemd'] as const;

type KernelSetting = readonly [file: string, text: string];

/** What to write where when a limit goes. `max` alone keeps the period in `cpu.max`. Source: Linux, cgroup-v1 and cgroup-v2. */
const LIFTED: Readonly<
  Record<LiftedLimit, { readonly controller: string; readonly legacy: KernelSetting; readonly unified: KernelSetting }>
> = {
  pids: { controller: 'pids', legacy: ['pids.max', 'max'], unified: ['pids.max', 'max'] },
  'cpu-quota': { controller: 'cpu', legacy: ['cpu.cfs_quota_us', '-1'], unified: ['cpu.max', 'max'] },
};

/** The host's control groups as the runtimes lay them out with their cgroupfs driver. */
export class CgroupTree implements Cgroups {
  readonly #layout: CgroupLayout;

  constructor(layout: CgroupLayout) {
    this.#layout = layout;
  }

  async pids(cgroupsPath: string): Promise<readonly number[]> {
    const root = this.#processRoot();
    if (root === undefined) return [];
    return await pidsBelow(directoryOf(root, cgroupsPath));
  }

  memoryGroup(cgroupsPath: string): string | undefined {
    const root = this.#layout.legacy.get('memory') ?? this.#layout.unified;
    return root === undefined ? undefined : directoryOf(root, cgroupsPath);
  }

  async thaw(cgroupsPath: string): Promise<void> {
    const freezer = this.#layout.legacy.get('freezer');
    const root = freezer ?? this.#layout.unified;
    if (root === undefined) return;
    const [name, text] = freezer === undefined ? ['cgroup.freeze', '0'] : ['freezer.state', 'THAWED'];
    await writeIfThere(join(directoryOf(root, cgroupsPath), name), text);
  }

  async lift(cgroupsPath: string, limits: readonly LiftedLimit[]): Promise<void> {
    for (const limit of limits) {
      const { controller, legacy, unified } = LIFTED[limit];
      const legacyRoot = this.#layout.legacy.get(controller);
      const root = legacyRoot ?? this.#layout.unified;
      const [name, text] = legacyRoot === undefined ? unified : legacy;
      if (root !== undefined) await writeIfThere(join(directoryOf(root, cgroupsPath), name), text);
    }
  }

  /**
   * The kernel lets all processes pass a point before it moves the first one in a while, 4–10 ms; the next ones are moved
   * at once, for some 20 ms. So the engine is moved to where it is, while the runtime is still starting. docs/adr/0005-fewer-visits-to-threads.md.
   */
  expectMove(): void {
    const path = this.#ownGroup();
    // Not allowed, or not possible here: then the move is as slow as it is.
    if (path !== undefined) writeKernelFile(join(path, 'cgroup.procs'), '0').catch(() => {});
  }

  async remove(cgroupsPath: string): Promise<void> {
    const groups = this.#roots().map((root) => directoryOf(root, cgroupsPath));
    await Promise.all((await removeEmptyDirectories(groups)).map(removeGroup));
  }

  /** Directory of the group that this process is in, in the hierarchy of {@link CgroupTree.#processRoot}. */
  #ownGroup(): string | undefined {
    const root = this.#processRoot();
    if (root === undefined) return undefined;
    for (const line of (readTextAtOnce('/proc/self/cgroup') ?? '').split('\n')) {
      const [, controllers = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      const mounted =
        controllers === '' ? this.#layout.unified : this.#layout.legacy.get(controllers.split(',')[0] ?? '');
      // Outside what a namespace lets us see, the path begins with "/..".
      if (mounted === root && !path.startsWith('/..')) return join(root, path);
    }
    return undefined;
  }

  #processRoot(): string | undefined {
    if (this.#layout.version === 2) return this.#layout.unified;
    for (const controller of PROCESS_CONTROLLERS) {
      const root = this.#layout.legacy.get(controller);
      if (root !== undefined) return root;
    }
    return this.#layout.unified;
  }

  #roots(): readonly string[] {
    const unified = this.#layout.unified === undefined ? [] : [this.#layout.unified];
    return [...new Set([...this.#layout.legacy.values(), ...unified])];
  }
}

/** @throws EngineError 'internal' for a path that is the hierarchy itself or leaves it: that would be everybody's group. */
function directoryOf(root: string, cgroupsPath: string): string {
  const path = normalize(`/${cgroupsPath}`);
  if (path === '/') throw new EngineError('internal', `not a container's cgroup: ${cgroupsPath}`);
  return join(root, path);
}

async function writeIfThere(path: string, text: string): Promise<void> {
  try {
    await writeKernelFile(path, text);
  } catch (error) {
    // ENODEV: it was removed while the file was open.
    if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error;
  }
}

async function pidsBelow(directory: string): Promise<readonly number[]> {
  const [own, children] = await Promise.all([readCgroupPids(directory), listSubdirectories(directory)]);
  const below = await Promise.all(children.map((name) => pidsBelow(join(directory, name))));
  return [...own, ...below.flat()];
}

async function removeGroup(directory: string): Promise<void> {
  if (await removed(directory)) return;
  const tries = Math.ceil(EMPTY_MS / RETRY_MS);
  for (let count = 0; count < tries; count++) {
    for (const name of await listSubdirectories(directory)) await removeGroup(join(directory, name));
    for (const pid of await readCgroupPids(directory)) kill(pid);
    if (await removed(directory)) return;
    await sleep(RETRY_MS);
  }
  throw new EngineError('internal', `cgroup ${directory} still has processes after SIGKILL`);
}

function kill(pid: number): void {
  const process = findProcess(pid);
  if (process !== undefined) signalProcess(process, SIGKILL);
}

async function removed(directory: string): Promise<boolean> {
  try {
    await removeEmptyDirectory(directory);
    return true;
  } catch (error) {
    // ENOTEMPTY: groups below it. EBUSY: processes in it.
    if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}
