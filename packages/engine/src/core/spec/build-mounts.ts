import type { HostConfig } from '@fairlead/protocol';
import type { HostFacts } from './host-facts.ts';
import type { BindMountPoint, MountPoint } from './mount-points.ts';
import type { OciLinux, OciMount } from './oci.ts';

/** Where Docker puts the init process; programs know the path. */
export const INIT_PATH = '/sbin/docker-init';

/** Files on the host that stand for three files of the container's /etc. */
export interface EtcPaths {
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
}

export interface MountRequest {
  readonly hostConfig: HostConfig;
  readonly points: readonly MountPoint[];
  /** Host path of a volume's content. */
  readonly volumePath: (name: string) => string;
  /** Host path of shared memory that is not the container's alone; undefined: it has its own. */
  readonly shmPath: string | undefined;
  readonly etcPaths: EtcPaths;
  /** Program of the host that is mounted as init; undefined when the container has none. */
  readonly initPath: string | undefined;
  readonly facts: HostFacts;
}

/** Mounts of every container. Source: moby oci/defaults.go. */
const DEFAULT_MOUNTS: readonly OciMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777'] },
];

/** Also those that the host's side of shared memory is mounted with. */
const SHM_FLAGS: readonly string[] = ['nosuid', 'noexec', 'nodev'];

/** Stay writable in a read-only container. Source: moby WithMounts. */
const WRITABLE_ALWAYS: ReadonlySet<string> = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']);

/** All mounts of a container, in the order they are made: the default ones that nothing replaces, then the user's. */
export function ociMounts(request: MountRequest): readonly OciMount[] {
  const { hostConfig, points } = request;
  const targets = new Set(points.map((point) => point.target));
  const isOurs = ({ destination }: OciMount): boolean =>
    !targets.has(destination) && !(targets.has('/dev') && destination.startsWith('/dev/'));
  const base = [...defaultMounts(request), ...initMounts(request)].filter(isOurs);
  const user = points.map((point) => userMount(point, request));
  // A user's /etc comes before our /etc/hosts, which would be hidden by it otherwise.
  const late = [...etcMounts(request).filter(isOurs), ...user];
  return [
    ...base.map((mount) => adjust(mount, hostConfig)),
    ...late.toSorted((one, other) => depthOf(one.destination) - depthOf(other.destination)),
  ];
}

/** What the root must be for the binds' propagation to work; undefined leaves it to the runtime. Source: moby WithMounts. */
export function rootfsPropagation(points: readonly MountPoint[]): OciLinux['rootfsPropagation'] {
  const wanted = new Set(points.flatMap((point) => (point.kind === 'bind' ? [point.propagation] : [])));
  if (wanted.has('shared') || wanted.has('rshared')) return 'shared';
  return wanted.has('slave') || wanted.has('rslave') ? 'rslave' : undefined;
}

function defaultMounts({ hostConfig, shmPath }: MountRequest): readonly OciMount[] {
  return DEFAULT_MOUNTS.flatMap((mount) => {
    if (mount.destination !== '/dev/shm') return [mount];
    if (hostConfig.IpcMode === 'none') return [];
    // Said again, because crun gives a bind mount the flags that are asked for, not those of what is bound.
    if (shmPath !== undefined) return [rootBind('/dev/shm', shmPath, ['rbind', 'rprivate', ...SHM_FLAGS])];
    if (hostConfig.IpcMode === 'host') return [rootBind('/dev/shm', '/dev/shm', ['rbind', 'rprivate'])];
    return [{ ...mount, options: [...(mount.options ?? []), `size=${hostConfig.ShmSize}`] }];
  });
}

function initMounts({ initPath }: MountRequest): readonly OciMount[] {
  return initPath === undefined ? [] : [rootBind(INIT_PATH, initPath, ['bind', 'ro'])];
}

function etcMounts({ etcPaths, hostConfig }: MountRequest): readonly OciMount[] {
  const options = ['rbind', 'rprivate', ...(hostConfig.ReadonlyRootfs ? ['ro'] : [])];
  return [
    rootBind('/etc/resolv.conf', etcPaths.resolvConf, options),
    rootBind('/etc/hostname', etcPaths.hostname, options),
    rootBind('/etc/hosts', etcPaths.hosts, options),
  ];
}

function rootBind(destination: string, source: string, options: readonly string[]): OciMount {
  return { destination, type: 'bind', source, options };
}

/** A read-only root makes its mounts read-only too; a privileged container may write to /sys and its cgroups. */
function adjust(mount: OciMount, hostConfig: HostConfig): OciMount {
  const options = mount.options ?? [];
  if (hostConfig.Privileged && (mount.destination === '/sys' || mount.type === 'cgroup')) {
    return { ...mount, options: options.filter((option) => option !== 'ro') };
  }
  const closed = hostConfig.ReadonlyRootfs && !WRITABLE_ALWAYS.has(mount.destination) && !options.includes('ro');
  return closed ? { ...mount, options: [...options, 'ro'] } : mount;
}

function userMount(point: MountPoint, request: MountRequest): OciMount {
  switch (point.kind) {
    case 'bind':
      return bindMount(point, request.facts);
    case 'tmpfs':
      return tmpfsMount(point);
    case 'volume': {
      const options = ['rbind', ...(point.readOnly ? ['ro'] : []), 'rprivate'];
      return { destination: point.target, type: 'bind', source: request.volumePath(point.name), options };
    }
    default:
      return point satisfies never;
  }
}

function bindMount(point: BindMountPoint, facts: HostFacts): OciMount {
  const options = [point.nonRecursive ? 'bind' : 'rbind'];
  if (point.readOnly) options.push(isReadOnlyBelow(point, facts) ? 'rro' : 'ro');
  // For crun 1.8 a propagation that is recursive makes the bind recursive, too; below a single mount both are the same.
  const propagation = point.nonRecursive
    ? point.propagation.replace(/^r(?=private|slave|shared)/, '')
    : point.propagation;
  return { destination: point.target, type: 'bind', source: point.source, options: [...options, propagation] };
}

/** `force` on a kernel that cannot was refused at create. */
function isReadOnlyBelow(point: BindMountPoint, facts: HostFacts): boolean {
  return point.readOnlyBelow === 'force' || (point.readOnlyBelow === 'if-possible' && facts.recursiveReadOnly);
}

function tmpfsMount(point: Extract<MountPoint, { kind: 'tmpfs' }>): OciMount {
  return { destination: point.target, type: 'tmpfs', source: 'tmpfs', options: point.options };
}

function depthOf(path: string): number {
  return path.split('/').length;
}
