import { capabilitiesOfMask } from './capabilities.ts';
import { atLeast, type KernelVersion } from './kernel-version.ts';

/** What this host's cgroups can limit. A limit that is asked for and cannot be had is discarded with Docker's warning. */
export interface CgroupAbilities {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly memoryReservation: boolean;
  readonly memorySwappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly cpuShares: boolean;
  readonly cpuQuota: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly blkioWeight: boolean;
  readonly blkioWeightDevice: boolean;
  readonly blkioReadBps: boolean;
  readonly blkioWriteBps: boolean;
  readonly blkioReadIops: boolean;
  readonly blkioWriteIops: boolean;
  readonly cpuRealtime: boolean;
  readonly kernelMemoryTcp: boolean;
}

/** What specs depend on and the kernel decides. Read once at start. */
export interface HostFacts {
  /** Go's name: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly kernel: KernelVersion;
  readonly cpuCount: number;
  /** As cpuset writes it: `0-3,8`. */
  readonly onlineCpus: string;
  readonly onlineMemoryNodes: string;
  readonly memoryBytes: number;
  readonly cgroupVersion: 1 | 2;
  readonly cgroups: CgroupAbilities;
  readonly cgroupNamespaces: boolean;
  /** Bounding set of the engine itself. */
  readonly capabilities: readonly string[];
  /** net.ipv4.ip_unprivileged_port_start exists (Linux 4.11). */
  readonly unprivilegedPorts: boolean;
  /** net.ipv4.ping_group_range exists. */
  readonly unprivilegedPing: boolean;
  readonly appArmor: boolean;
  /** mount_setattr(2) with AT_RECURSIVE (Linux 5.12): read-only binds are read-only all the way down. */
  readonly recursiveReadOnly: boolean;
  /** Paths that are masked beside Docker's list because this host has them: thermal interrupt counters of its CPUs. */
  readonly additionalMaskedPaths: readonly string[];
}

/** The texts that the facts are read from; empty for a file that is not there. The names are the files' own. */
export interface HostTexts {
  /** process.arch of Node. */
  readonly nodeArchitecture: string;
  /** /proc/sys/kernel/osrelease */
  readonly osRelease: string;
  /** /proc/self/status */
  readonly selfStatus: string;
  /** /proc/meminfo */
  readonly memInfo: string;
  /** /sys/devices/system/cpu/online */
  readonly cpuOnline: string;
  /** /sys/devices/system/node/online */
  readonly nodeOnline: string;
  /** /proc/self/mounts */
  readonly mounts: string;
  /** /sys/fs/cgroup/cgroup.controllers: only there on cgroup v2. */
  readonly unifiedControllers: string;
  /** Which of `PROBED_PATHS`, of `controllerFiles` and of `thermalPaths` exist. */
  readonly existing: ReadonlySet<string>;
}

/** Files whose mere existence is a fact. */
export const PROBED_PATHS = {
  cgroupNamespace: '/proc/self/ns/cgroup',
  unprivilegedPorts: '/proc/sys/net/ipv4/ip_unprivileged_port_start',
  unprivilegedPing: '/proc/sys/net/ipv4/ping_group_range',
  appArmor: '/sys/kernel/security/apparmor',
} as const;

/** Files of cgroup v1 controllers that a kernel may be built without, by the ability that they give. */
const ABILITY_FILES = {
  swap: 'memory.memsw.limit_in_bytes',
  memoryReservation: 'memory.soft_limit_in_bytes',
  memorySwappiness: 'memory.swappiness',
  oomKillDisable: 'memory.oom_control',
  kernelMemoryTcp: 'memory.kmem.tcp.limit_in_bytes',
  cpuRealtime: 'cpu.rt_period_us',
  blkioWeight: 'blkio.weight',
  blkioWeightDevice: 'blkio.weight_device',
  blkioReadBps: 'blkio.throttle.read_bps_device',
  blkioWriteBps: 'blkio.throttle.write_bps_device',
  blkioReadIops: 'blkio.throttle.read_iops_device',
  blkioWriteIops: 'blkio.throttle.write_iops_device',
} as const satisfies Partial<Record<keyof CgroupAbilities, string>>;

const GO_ARCHITECTURE: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** Puts the facts together from what the host's files say. */
export function hostFactsFrom(texts: HostTexts): HostFacts {
  const kernel = kernelVersion(texts.osRelease);
  const onlineCpus = texts.cpuOnline.trim() || '0';
  const cpus = parseIdList(onlineCpus);
  const unified = texts.unifiedControllers !== '';
  return {
    architecture: GO_ARCHITECTURE[texts.nodeArchitecture] ?? texts.nodeArchitecture,
    kernel,
    cpuCount: cpus.length,
    onlineCpus,
    onlineMemoryNodes: texts.nodeOnline.trim() || '0',
    memoryBytes: Number(/^MemTotal:\s+(\d+) kB$/m.exec(texts.memInfo)?.[1] ?? 0) * 1024,
    cgroupVersion: unified ? 2 : 1,
    cgroups: unified ? unifiedAbilities(texts) : legacyAbilities(texts),
    cgroupNamespaces: texts.existing.has(PROBED_PATHS.cgroupNamespace),
    capabilities: capabilitiesOfMask(/^CapBnd:\s+([0-9a-f]+)$/m.exec(texts.selfStatus)?.[1] ?? '0'),
    unprivilegedPorts: texts.existing.has(PROBED_PATHS.unprivilegedPorts),
    unprivilegedPing: texts.existing.has(PROBED_PATHS.unprivilegedPing),
    appArmor: texts.existing.has(PROBED_PATHS.appArmor),
    recursiveReadOnly: atLeast(kernel, { major: 5, minor: 12 }),
    additionalMaskedPaths: thermalPaths(onlineCpus).filter((path) => texts.existing.has(path)),
  };
}

/** The thermal counters of each CPU, to be probed. Source: moby v28 daemon/pkg/oci/defaults.go. */
export function thermalPaths(onlineCpus: string): readonly string[] {
  return parseIdList(onlineCpus.trim()).map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`);
}

/** The files of this host's cgroup v1 controllers whose existence is an ability, to be probed. */
export function controllerFiles(mounts: string): readonly string[] {
  const controllers = legacyControllers(mounts);
  return Object.values(ABILITY_FILES).flatMap((file) => controllerFile(controllers, file) ?? []);
}

function controllerFile(controllers: ReadonlyMap<string, string>, file: string): string | undefined {
  const directory = controllers.get(file.slice(0, file.indexOf('.')));
  return directory === undefined ? undefined : `${directory}/${file}`;
}

/** Where each cgroup v1 controller is mounted. */
export function legacyControllers(mounts: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of mounts.split('\n')) {
    const [, path = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup') for (const option of options.split(',')) found.set(option, path);
  }
  return found;
}

/** `0-3,8` → 0, 1, 2, 3, 8. Anything else in it is left out. */
export function parseIdList(text: string): readonly number[] {
  return text.split(',').flatMap((range) => {
    const [, from, to] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range.trim()) ?? [];
    if (from === undefined) return [];
    const first = Number(from);
    const last = to === undefined ? first : Number(to);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_value, index) => first + index);
  });
}

function kernelVersion(osRelease: string): KernelVersion {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(osRelease) ?? [];
  return { major: Number(major), minor: Number(minor) };
}

function unifiedAbilities(texts: HostTexts): CgroupAbilities {
  const controllers = new Set(texts.unifiedControllers.trim().split(/\s+/));
  const memory = controllers.has('memory');
  const io = controllers.has('io');
  return {
    memory,
    swap: memory,
    memoryReservation: memory,
    // cgroup v2 has neither. Source: moby pkg/sysinfo/cgroup2_linux.go.
    memorySwappiness: false,
    oomKillDisable: false,
    cpuShares: controllers.has('cpu'),
    cpuQuota: controllers.has('cpu'),
    cpuset: controllers.has('cpuset'),
    pids: controllers.has('pids'),
    blkioWeight: io,
    blkioWeightDevice: io,
    blkioReadBps: io,
    blkioWriteBps: io,
    blkioReadIops: io,
    blkioWriteIops: io,
    cpuRealtime: false,
    kernelMemoryTcp: false,
  };
}

function legacyAbilities(texts: HostTexts): CgroupAbilities {
  const controllers = legacyControllers(texts.mounts);
  const has = (ability: keyof typeof ABILITY_FILES): boolean => {
    const path = controllerFile(controllers, ABILITY_FILES[ability]);
    return path !== undefined && texts.existing.has(path);
  };
  return {
    memory: controllers.has('memory'),
    swap: has('swap'),
    memoryReservation: has('memoryReservation'),
    memorySwappiness: has('memorySwappiness'),
    oomKillDisable: has('oomKillDisable'),
    cpuShares: controllers.has('cpu'),
    cpuQuota: controllers.has('cpu'),
    cpuset: controllers.has('cpuset'),
    pids: controllers.has('pids'),
    blkioWeight: has('blkioWeight'),
    blkioWeightDevice: has('blkioWeightDevice'),
    blkioReadBps: has('blkioReadBps'),
    blkioWriteBps: has('blkioWriteBps'),
    blkioReadIops: has('blkioReadIops'),
    blkioWriteIops: has('blkioWriteIops'),
    cpuRealtime: has('cpuRealtime'),
    kernelMemoryTcp: has('kernelMemoryTcp'),
  };
}
