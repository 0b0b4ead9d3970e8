import type { StringMap } from '../codec/go-schema.ts';
import type { ContainerConfig } from './container-config.ts';
import type { HostConfig } from './host-config.ts';
import type { EndpointIpamConfig } from './networking-config.ts';
import type { PortMap } from './port-map.ts';

/** Docker's words, and no others: typed clients refuse them. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface HealthLogEntry {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

export interface Health {
  readonly Status: 'none' | 'starting' | 'healthy' | 'unhealthy';
  readonly FailingStreak: number;
  readonly Log: readonly HealthLogEntry[] | null;
}

/** Times are RFC 3339 with nanoseconds, `0001-01-01T00:00:00Z` when they have not come yet. */
export interface State {
  readonly Status: ContainerStatus;
  /** Also true when paused or restarting. */
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  /** Of the host; 0 when it does not run. */
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
  /** Only when a health check is configured. */
  readonly Health?: Health;
}

export interface MountPoint {
  readonly Type: string;
  /** Only volumes have one. */
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

export interface EndpointSettings {
  readonly IPAMConfig: EndpointIpamConfig | null;
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly MacAddress: string;
  readonly DriverOpts: StringMap<string> | null;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly DNSNames: readonly string[] | null;
}

export interface NetworkSettings {
  readonly Bridge: string;
  readonly SandboxID: string;
  readonly SandboxKey: string;
  readonly Ports: PortMap;
  readonly HairpinMode: boolean;
  readonly LinkLocalIPv6Address: string;
  readonly LinkLocalIPv6PrefixLen: number;
  readonly SecondaryIPAddresses: null;
  readonly SecondaryIPv6Addresses: null;
  /** This and the following repeat the default bridge's endpoint. */
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly MacAddress: string;
  readonly Networks: StringMap<EndpointSettings>;
}

/** Answer to `GET /containers/{id}/json`. */
export interface ContainerInspect {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: State;
  /** Id of the image. */
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath: string;
  /** With a leading slash. */
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  /** Created-not-started and running ones only. */
  readonly ExecIDs: readonly string[] | null;
  readonly HostConfig: Partial<HostConfig>;
  readonly GraphDriver: { readonly Name: string; readonly Data: StringMap<string> | null };
  /** Bytes of the writable layer; only with `size=1`. */
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Mounts: readonly MountPoint[];
  readonly Config: Partial<ContainerConfig>;
  readonly NetworkSettings: NetworkSettings;
}
