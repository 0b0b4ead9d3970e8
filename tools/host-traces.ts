/** What containers leave on a host when something goes wrong: read before and after the tests, and compared. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything of interest that is on the host at one moment, in words a person can act on. Order does not matter. */
export type HostTraces = readonly string[];

/** Programs of ours or of an engine under test, as the kernel cuts their names; each is expected to be gone when the tests are over. */
const PROGRAMS =
  /^(container-keepe|exec-keeper|conmon|crun|runc|tini|dockerd|containerd|containerd-shim.*|podman|docker|docker-init|aardvark-dns|slirp4netns|docker-registry)$/;

/**
 * Node keeps what it compiled there, for whoever comes next. A dockerd that finds its containerd slow to answer has it write down what it
 * does, and starts another.
 */
const NOT_OURS = /\/(node-compile-cache|containerd\.\d+\.stacks\.log)$/;

/** How deep cgroups are looked at: `<controller>/<parent>/<container>`, and one for what is in it. */
const CGROUP_DEPTH = 4;

/** Reads the traces of this moment. `home` is a directory of the tests: whatever mentions it is a trace. */
export function readHostTraces(home: string): HostTraces {
  return [
    ...processes(home),
    ...mounts(),
    ...named('network device', '/sys/class/net'),
    ...named('network namespace', '/run/netns'),
    ...packetFilters(),
    ...cgroups('/sys/fs/cgroup', CGROUP_DEPTH),
    ...named('state of an engine', '/run/fairlead').filter((trace) => !trace.endsWith('/subnets')),
    ...named('file', home).filter((trace) => !NOT_OURS.test(trace)),
  ];
}

/** What is there now and was not before. */
export function newTraces(before: HostTraces, now: HostTraces): HostTraces {
  const known = new Set(before);
  return now.filter((trace) => !known.has(trace));
}

function processes(home: string): HostTraces {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const comm = textOf(`/proc/${pid}/comm`).trim();
      const commandLine = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      const ours = PROGRAMS.test(comm) || commandLine.includes(home) || linkOf(`/proc/${pid}/cwd`).startsWith(home);
      // A process that is ending has no command line any more, and init collects it soon.
      return ours && commandLine !== '' ? [`process ${pid}: ${commandLine.slice(0, 200)}`] : [];
    });
}

function mounts(): HostTraces {
  return textOf('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      return `mount ${right.split(' ')[0] ?? ''} at ${left.split(' ')[4] ?? ''}`;
    });
}

function named(kind: string, directory: string): HostTraces {
  return namesIn(directory).map((name) => `${kind} ${join(directory, name)}`);
}

/** Tables of nftables, and rules that were added to others' chains. */
function packetFilters(): HostTraces {
  const tables = linesOf('nft', ['list', 'tables']).map((table) => `nftables ${table}`);
  const rules = linesOf('iptables', ['-S', 'FORWARD']).map((rule) => `iptables ${rule}`);
  return [...tables, ...rules];
}

function cgroups(directory: string, depth: number): HostTraces {
  if (depth === 0) return [];
  return subdirectories(directory).flatMap((name) => {
    const path = join(directory, name);
    return [`cgroup ${path}`, ...cgroups(path, depth - 1)];
  });
}

function linesOf(program: string, args: readonly string[]): readonly string[] {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((line) => line !== '');
}

/** Names of the directories in a directory; none where there is none. */
export function subdirectories(directory: string): readonly string[] {
  return attempt(() => readdirSync(directory, { withFileTypes: true }), [])
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function namesIn(directory: string): readonly string[] {
  return attempt(() => readdirSync(directory), []);
}

function textOf(path: string): string {
  return attempt(() => readFileSync(path, 'utf8'), '');
}

function linkOf(path: string): string {
  return attempt(() => readlinkSync(path), '');
}

/** Processes end and cgroups vanish while they are being read: that is an answer, too. */
function attempt<T>(read: () => T, gone: T): T {
  try {
    return read();
  } catch {
    return gone;
  }
}
