import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the kernel and the disk have of one engine, read without the engine. Ids are those of containers. */
export interface KernelView {
  /** Pids of monitors by container. */
  readonly monitors: ReadonlyMap<string, readonly number[]>;
  /** Command lines of everything else that works for the engine: runtimes, keepers of execs, tools. */
  readonly helpers: readonly string[];
  /** Containers that have a cgroup, with the pids in it, of all hierarchies together. */
  readonly cgroups: ReadonlyMap<string, readonly number[]>;
  readonly frozen: ReadonlySet<string>;
  /** Everything mounted below the root. */
  readonly mounts: readonly string[];
  /** Host sides of the pairs on the engine's bridge. */
  readonly links: readonly string[];
  /** Directories of containers. */
  readonly directories: readonly string[];
  /** What the OCI runtime remembers. */
  readonly states: readonly string[];
  /** Exit files, files of execs, half-written layers, blobs and files. */
  readonly leftovers: readonly string[];
}

/** Where an engine keeps what this looks at. */
export interface KernelPlaces {
  readonly root: string;
  /** HostConfig.CgroupParent of every container of the test. */
  readonly cgroupParent: string;
}

const CGROUPS = '/sys/fs/cgroup';

export function viewKernel({ root, cgroupParent }: KernelPlaces): KernelView {
  const hash = createHash('sha256').update(root).digest('hex');
  const state = join('/run/fairlead', hash.slice(0, 12));
  const groups = cgroupDirectories(cgroupParent);
  const cgroups = pidsOf(groups);
  const contained = new Set([...cgroups.values()].flat());
  const monitors = new Map<string, number[]>();
  const helpers: string[] = [];
  for (const { pid, words } of processesOf([`${root}/`, `${state}/`])) {
    const id = words[words.indexOf('--id') + 1];
    const isMonitor = words[0]?.endsWith('/container-keeper') === true && id !== undefined;
    if (isMonitor) monitors.set(id, [...(monitors.get(id) ?? []), pid]);
    // The first process of a container is called as its runtime until it runs the user's program.
    else if (!contained.has(pid)) helpers.push(words.join(' ').slice(0, 300));
  }
  return {
    monitors,
    helpers,
    cgroups,
    frozen: new Set(groups.filter(({ path }) => isFrozen(path)).map(({ id }) => id)),
    mounts: linesOf('/proc/self/mountinfo')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((path) => path.startsWith(`${root}/`)),
    links: linksOf(`fl-${hash.slice(0, 8)}`),
    directories: namesIn(join(root, 'containers')),
    states: namesIn(join(state, 'runtime')),
    leftovers: [
      ...filesIn(join(state, 'exits')),
      ...filesIn(join(state, 'execs')).filter((path) => !path.endsWith('/pids')),
      ...filesIn(join(state, 'execs/pids')),
      ...filesIn(join(root, 'layers/incoming')),
      ...filesIn(join(root, 'content/incoming')),
      ...temporaryFiles(root),
    ],
  };
}

/** Processes whose command line has one of the paths, but for the engine itself, which is given the root as an argument. */
function processesOf(
  prefixes: readonly string[],
): readonly { readonly pid: number; readonly words: readonly string[] }[] {
  return namesIn('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const line = textOf(`/proc/${name}/cmdline`);
    const isOurs = prefixes.some((prefix) => line.includes(prefix));
    return isOurs ? [{ pid: Number(name), words: line.split('\0').slice(0, -1) }] : [];
  });
}

interface Group {
  readonly id: string;
  readonly path: string;
}

function cgroupDirectories(parent: string): readonly Group[] {
  return namesIn(CGROUPS).flatMap((hierarchy) => {
    const directory = join(CGROUPS, hierarchy, parent);
    return namesIn(directory)
      .filter((name) => existsSync(join(directory, name, 'cgroup.procs')))
      .map((id) => ({ id, path: join(directory, id) }));
  });
}

function pidsOf(groups: readonly Group[]): ReadonlyMap<string, readonly number[]> {
  const pids = new Map<string, readonly number[]>();
  for (const { id, path } of groups) {
    const own = linesOf(join(path, 'cgroup.procs')).map(Number);
    pids.set(id, [...new Set([...(pids.get(id) ?? []), ...own])]);
  }
  return pids;
}

function isFrozen(path: string): boolean {
  return textOf(join(path, 'freezer.state')).trim() === 'FROZEN' || textOf(join(path, 'cgroup.freeze')).trim() === '1';
}

function linksOf(bridge: string): readonly string[] {
  if (!existsSync(`/sys/class/net/${bridge}`)) return [];
  const { stdout } = spawnSync('ip', ['-o', 'link', 'show', 'master', bridge], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => /^\d+: ([^@:]+)/.exec(line)?.[1] ?? []);
}

function temporaryFiles(root: string): readonly string[] {
  const places = ['', 'containers', ...namesIn(join(root, 'containers')).map((id) => join('containers', id)), 'layers'];
  return places.flatMap((place) => filesIn(join(root, place)).filter((path) => path.endsWith('.tmp')));
}

function filesIn(directory: string): readonly string[] {
  return namesIn(directory).map((name) => join(directory, name));
}

function linesOf(path: string): readonly string[] {
  return textOf(path)
    .split('\n')
    .filter((line) => line !== '');
}

/** Processes end and files vanish while they are being read. */
function textOf(path: string): string {
  return attempt(() => readFileSync(path, 'utf8'), '');
}

function namesIn(directory: string): readonly string[] {
  return attempt(() => readdirSync(directory), []);
}

function attempt<T>(read: () => T, gone: T): T {
  try {
    return read();
  } catch {
    return gone;
  }
}
