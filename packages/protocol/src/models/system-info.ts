import type { StringMap } from '../codec/go-schema.ts';

export interface Commit {
  readonly ID: string;
  readonly Expected: string;
}

/** Answer to `GET /info`. Sizes are bytes. */
export interface SystemInfo {
  readonly ID: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly Driver: string;
  readonly DriverStatus: readonly (readonly [string, string])[];
  readonly SystemStatus?: null;
  readonly Plugins: {
    readonly Volume: readonly string[];
    readonly Network: readonly string[];
    readonly Authorization: readonly string[] | null;
    readonly Log: readonly string[];
  };
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly CpuCfsPeriod: boolean;
  readonly CpuCfsQuota: boolean;
  readonly CPUShares: boolean;
  readonly CPUSet: boolean;
  readonly PidsLimit: boolean;
  readonly OomKillDisable: boolean;
  readonly IPv4Forwarding: boolean;
  readonly BridgeNfIptables: boolean;
  readonly BridgeNfIp6tables: boolean;
  readonly Debug: boolean;
  readonly NFd: number;
  readonly NGoroutines: number;
  readonly SystemTime: string;
  readonly LoggingDriver: string;
  readonly CgroupDriver: 'cgroupfs' | 'systemd' | 'none';
  readonly CgroupVersion: '1' | '2';
  readonly NEventsListener: number;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSVersion: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly IndexServerAddress: string;
  readonly RegistryConfig: {
    readonly AllowNondistributableArtifactsCIDRs: readonly string[] | null;
    readonly AllowNondistributableArtifactsHostnames: readonly string[] | null;
    readonly InsecureRegistryCIDRs: readonly string[];
    readonly IndexConfigs: StringMap<unknown>;
    readonly Mirrors: readonly string[] | null;
  };
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly GenericResources: null;
  readonly DockerRootDir: string;
  readonly HttpProxy: string;
  readonly HttpsProxy: string;
  readonly NoProxy: string;
  readonly Name: string;
  readonly Labels: readonly string[];
  readonly ExperimentalBuild: boolean;
  readonly ServerVersion: string;
  readonly Runtimes: StringMap<{ readonly path: string }>;
  readonly DefaultRuntime: string;
  readonly Swarm: {
    readonly NodeID: string;
    readonly NodeAddr: string;
    readonly LocalNodeState: 'inactive';
    readonly ControlAvailable: boolean;
    readonly Error: string;
    readonly RemoteManagers: null;
  };
  readonly LiveRestoreEnabled: boolean;
  readonly Isolation: string;
  readonly InitBinary: string;
  readonly ContainerdCommit: Commit;
  readonly RuncCommit: Commit;
  readonly InitCommit: Commit;
  readonly SecurityOptions: readonly string[];
  readonly DefaultAddressPools?: readonly { readonly Base: string; readonly Size: number }[];
  readonly ProductLicense?: string;
  readonly Warnings: readonly string[] | null;
  /** Fairlead only: the longest time from SIGKILL to an answer, in milliseconds. Other engines: assume `KILL_CONFIRM_DOCKER_MS`. */
  readonly KillConfirmMs?: number;
}
