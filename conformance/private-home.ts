import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, rmdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What an engine under test has for itself. */
export interface PrivateHome {
  /** Short: the paths of unix sockets below it may have 107 bytes. */
  readonly directory: string;
  readonly root: string;
  readonly socketPath: string;
  readonly host: string;
}

/** Makes an empty home below the temporary directory. */
export async function makeHome(): Promise<PrivateHome> {
  const directory = await mkdtemp(join(tmpdir(), 'cf-'));
  const socketPath = join(directory, 's');
  return { directory, root: join(directory, 'root'), socketPath, host: `unix://${socketPath}` };
}

/** Programs that watch over containers, and outlive the engine that started them. */
const MONITORS: readonly string[] = ['container-keeper', 'conmon', 'containerd-shim'];
/** A directory that something is still being removed from is tried again. */
const REMOVE_TRIES = 20;

/**
 * Removes a home whose engine has ended, and whatever that engine left on the host: a test that failed in the middle leaves nothing to
 * the next one. What an engine should have removed by itself is for the tests to look at before.
 */
export async function removeHome({ directory, root }: PrivateHome): Promise<void> {
  endMonitors(directory);
  for (const path of mountsBelow(directory)) spawnSync('umount', ['--lazy', path]);
  removeNetwork(root);
  for (let tries = 1; ; tries += 1) {
    try {
      return rmSync(directory, { recursive: true, force: true });
    } catch (error) {
      if (tries === REMOVE_TRIES) throw error;
      await sleep(100);
    }
  }
}

/** Containers first: one whose monitor is killed would go on by itself. */
function endMonitors(directory: string): void {
  const monitors = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isMonitorOf(pid, directory));
  for (const pid of monitors) {
    const children = ifThere(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), '').trim();
    for (const child of children === '' ? [] : children.split(' '))
      ifThere(() => process.kill(Number(child), 'SIGKILL'), true);
    ifThere(() => process.kill(Number(pid), 'SIGKILL'), true);
  }
}

function isMonitorOf(pid: string, directory: string): boolean {
  const name = ifThere(() => readFileSync(`/proc/${pid}/comm`, 'utf8'), '');
  if (!MONITORS.some((monitor) => name.startsWith(monitor.slice(0, 15)))) return false;
  return ifThere(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').includes(directory);
}

function mountsBelow(directory: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
    .toSorted((a, b) => b.length - a.length);
}

/** Fairlead's bridge stays when its engine ends, because its containers do. Both are named for the root. */
function removeNetwork(root: string): void {
  const hash = createHash('sha256').update(root).digest('hex');
  spawnSync('ip', ['link', 'delete', `fl-${hash.slice(0, 8)}`]);
  spawnSync('nft', ['delete', 'table', 'ip', `fairlead_${hash.slice(0, 8)}`]);
  rmSync(`/run/fairlead/${hash.slice(0, 12)}`, { recursive: true, force: true });
}

/**
 * Removes a parent of cgroups that one engine under test had for itself, and what is empty below it. Never for a parent that engines share: the
 * cgroup of a container that another one is just starting is empty, too.
 */
export function removeEmptyCgroups(parent: string): void {
  for (const controller of readdirSync('/sys/fs/cgroup')) {
    const directory = join('/sys/fs/cgroup', controller, parent);
    const children = ifThere(() => readdirSync(directory, { withFileTypes: true }), []);
    for (const child of children.filter((entry) => entry.isDirectory())) {
      ifThere(() => rmdirSync(join(directory, child.name)), undefined);
    }
    ifThere(() => rmdirSync(directory), undefined);
  }
}

/** Processes and cgroups go by themselves while they are being looked at. */
function ifThere<T>(look: () => T, gone: T): T {
  try {
    return look();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ESRCH', 'ENOTDIR', 'EBUSY', 'ENOTEMPTY'].includes(code)) return gone;
    throw error;
  }
}
