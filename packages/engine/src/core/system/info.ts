import { formatDate, type SystemInfo } from '@fairlead/protocol';
import { LOG_DRIVERS } from '../spec/log-options.ts';
import type { HostFacts } from '../spec/host-facts.ts';
import type { ProgramFacts, SystemCounts, SystemFacts } from './system-facts.ts';

/** Answer to `GET /info`. Source: engine-api 1.5. */
export function systemInfo(facts: SystemFacts, counts: SystemCounts): SystemInfo {
  return {
    ID: facts.engineId,
    Containers: counts.running + counts.paused + counts.stopped,
    ContainersRunning: counts.running,
    ContainersPaused: counts.paused,
    ContainersStopped: counts.stopped,
    Images: counts.images,
    Driver: facts.storageDriver,
    DriverStatus: facts.storageStatus,
    Plugins: PLUGINS,
    ...limitsOf(facts.host),
    IPv4Forwarding: facts.ipv4Forwarding,
    // False makes the client warn, and nothing here depends on it.
    BridgeNfIptables: true,
    BridgeNfIp6tables: true,
    Debug: false,
    NFd: counts.descriptors,
    // There are none; a debug figure of Docker's.
    NGoroutines: 0,
    SystemTime: formatDate(counts.now),
    LoggingDriver: 'json-file',
    CgroupDriver: facts.cgroupDriver,
    CgroupVersion: facts.host.cgroupVersion === 1 ? '1' : '2',
    NEventsListener: counts.eventListeners,
    ...hostOf(facts),
    ...registryOf(),
    GenericResources: null,
    DockerRootDir: facts.rootDir,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: facts.engineVersion,
    ...programsOf(facts),
    Swarm: NO_SWARM,
    // Containers live on when the engine ends, always.
    LiveRestoreEnabled: true,
    Isolation: '',
    SecurityOptions: [
      ...(facts.host.appArmor ? ['name=apparmor'] : []),
      ...(facts.seccomp ? ['name=seccomp,profile=builtin'] : []),
      ...(facts.host.cgroupNamespaces ? ['name=cgroupns'] : []),
    ],
    Warnings: facts.warnings,
    KillConfirmMs: facts.killConfirmMs,
  };
}

const PLUGINS: SystemInfo['Plugins'] = {
  Volume: ['local'],
  Network: ['bridge', 'host', 'null'],
  Authorization: null,
  Log: LOG_DRIVERS,
};

const NO_SWARM: SystemInfo['Swarm'] = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
};

/** `uname -m` of Go's architectures, where they differ. */
const MACHINES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64', '386': 'i686', arm: 'armv7l' };

type Limits =
  | 'MemoryLimit'
  | 'SwapLimit'
  | 'CpuCfsPeriod'
  | 'CpuCfsQuota'
  | 'CPUShares'
  | 'CPUSet'
  | 'PidsLimit'
  | 'OomKillDisable';

function limitsOf({ cgroups }: HostFacts): Pick<SystemInfo, Limits> {
  return {
    MemoryLimit: cgroups.memory,
    SwapLimit: cgroups.swap,
    CpuCfsPeriod: cgroups.cpuQuota,
    CpuCfsQuota: cgroups.cpuQuota,
    CPUShares: cgroups.cpuShares,
    CPUSet: cgroups.cpuset,
    PidsLimit: cgroups.pids,
    OomKillDisable: cgroups.oomKillDisable,
  };
}

type HostFields =
  | 'KernelVersion'
  | 'OperatingSystem'
  | 'OSVersion'
  | 'OSType'
  | 'Architecture'
  | 'NCPU'
  | 'MemTotal'
  | 'Name';

function hostOf({ host, ...facts }: SystemFacts): Pick<SystemInfo, HostFields> {
  return {
    KernelVersion: facts.kernelRelease,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: 'linux',
    Architecture: MACHINES[host.architecture] ?? host.architecture,
    NCPU: host.cpuCount,
    MemTotal: host.memoryBytes,
    Name: facts.hostName,
  };
}

function registryOf(): Pick<SystemInfo, 'IndexServerAddress' | 'RegistryConfig'> {
  return {
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: [],
      AllowNondistributableArtifactsHostnames: [],
      InsecureRegistryCIDRs: [],
      IndexConfigs: {},
      Mirrors: [],
    },
  };
}

type Programs = 'Runtimes' | 'DefaultRuntime' | 'InitBinary' | 'ContainerdCommit' | 'RuncCommit' | 'InitCommit';

function programsOf({ runtimes, monitor, init }: SystemFacts): Pick<SystemInfo, Programs> {
  return {
    Runtimes: Object.fromEntries(runtimes.map(({ name, path }) => [name, { path }])),
    DefaultRuntime: runtimes[0]?.name ?? '',
    InitBinary: init?.path ?? '',
    // Docker's names for the monitor's, the runtime's and the init's builds.
    ContainerdCommit: commitOf(monitor),
    RuncCommit: commitOf(runtimes[0]),
    InitCommit: commitOf(init),
  };
}

function commitOf(program: ProgramFacts | undefined): SystemInfo['InitCommit'] {
  const version = program?.version ?? '';
  return { ID: version, Expected: version };
}
