import type { ContainerConfig, HostConfig } from '@fairlead/protocol';
import { INIT_PATH, ociMounts, rootfsPropagation, type EtcPaths } from './build-mounts.ts';
import type { BlockDevices } from './block-io.ts';
import { resolveCapabilities, toOciCapabilities } from './capabilities.ts';
import { ociDevices, type MappedDevice } from './devices.ts';
import { buildEnvironment } from './environment.ts';
import type { HostFacts } from './host-facts.ts';
import { commandOf } from './merge-image-config.ts';
import { networkChoice } from './modes.ts';
import type { MountPoint } from './mount-points.ts';
import { ociNamespaces, type NamespacePaths } from './namespaces.ts';
import { OCI_VERSION, type OciDevice, type OciLinux, type OciProcess, type OciSeccomp, type OciSpec } from './oci.ts';
import { cleanPath } from './paths.ts';
import type { ResolvedUser } from './resolve-user.ts';
import { ociResources } from './resources.ts';
import { translateSeccomp } from './seccomp.ts';
import { parseSecurityOptions } from './security-options.ts';
import { ociSysctls } from './sysctls.ts';
import { ociRlimits } from './ulimits.ts';

/** Where the cgroups of containers are, unless CgroupParent says otherwise. */
export const CGROUP_PARENT = '/fairlead';

/** Everything a spec is made of. All of it was checked before: `validateCreate`, `resolveUser`. */
export interface SpecRequest {
  readonly id: string;
  /** Merged with the image's. Hostname must be filled in. */
  readonly config: ContainerConfig;
  /** As `validateCreate` gave it back. */
  readonly hostConfig: HostConfig;
  readonly user: ResolvedUser;
  readonly rootfsPath: string;
  /** What the user put where; volumes among it have been made. */
  readonly mounts: readonly MountPoint[];
  /** Host path of a volume's content. */
  readonly volumePath: (name: string) => string;
  readonly joined: JoinedParts;
  /** What links put into the environment, before the container's own. */
  readonly linkedEnvironment: readonly string[];
  readonly etcPaths: EtcPaths;
  /** Program of the host that runs as process 1 where HostConfig.Init says so; undefined when there is none. */
  readonly initPath: string | undefined;
  /** HostConfig.Devices as found on the host. */
  readonly mappedDevices: readonly MappedDevice[];
  /** The devices that limits of block I/O name. */
  readonly blockDevices: BlockDevices;
  /** Every device of the host; used for a privileged container only. */
  readonly hostDevices: readonly OciDevice[];
}

/** What of a container is another's. */
export interface JoinedParts {
  readonly namespaces: NamespacePaths;
  /** Host path of shared memory that is not the container's alone; undefined: it has its own. */
  readonly shmPath: string | undefined;
}

/** Nothing. */
export const NOTHING_JOINED: JoinedParts = { namespaces: {}, shmPath: undefined };

export interface SpecDeps {
  readonly facts: HostFacts;
  /** The default profile for a set of capabilities: `seccompTranslator`. undefined on a host without seccomp or profile. */
  readonly defaultSeccomp: (capabilities: readonly string[]) => OciSeccomp | undefined;
}

/** The container as Docker would make it. Pure. Source: moby v28 daemon/oci_linux.go, createSpec. */
export function buildSpec(deps: SpecDeps, request: SpecRequest): OciSpec {
  const { config, hostConfig } = request;
  const ownUts = hostConfig.UTSMode !== 'host';
  const initPath = usesInit(hostConfig) ? request.initPath : undefined;
  const { mounts: points, volumePath, etcPaths } = request;
  const { shmPath } = request.joined;
  return {
    ociVersion: OCI_VERSION,
    process: buildProcess(deps, request, initPath !== undefined),
    root: { path: request.rootfsPath, readonly: hostConfig.ReadonlyRootfs },
    ...(ownUts ? { hostname: config.Hostname } : {}),
    mounts: ociMounts({ hostConfig, points, volumePath, shmPath, etcPaths, initPath, facts: deps.facts }),
    ...(Object.keys(hostConfig.Annotations).length === 0 ? {} : { annotations: hostConfig.Annotations }),
    linux: buildLinux(deps, request),
  };
}

/** Whether the container's first process is the engine's init: pointless where it would not be process 1. */
export function usesInit(hostConfig: HostConfig): boolean {
  return hostConfig.Init === true && hostConfig.PidMode === '';
}

/** The cgroup of a container below each controller's root: absolute, without `..`. */
export function cgroupsPathOf(id: string, hostConfig: HostConfig): string {
  return cleanPath(`/${hostConfig.CgroupParent || CGROUP_PARENT}/${id}`);
}

function buildProcess(deps: SpecDeps, request: SpecRequest, underInit: boolean): OciProcess {
  const { config, hostConfig, user } = request;
  const command = commandOf(config);
  const [height, width] = hostConfig.ConsoleSize;
  const env = [...request.linkedEnvironment, ...(config.Env ?? [])];
  const { noNewPrivileges, appArmorProfile } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  return {
    terminal: config.Tty,
    ...(config.Tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: underInit ? [INIT_PATH, '--', ...command] : command,
    env: buildEnvironment({ hostname: config.Hostname, tty: config.Tty, env, home: user.home }),
    cwd: cleanPath(config.WorkingDir),
    capabilities: toOciCapabilities(grantedCapabilities(hostConfig, deps.facts)),
    rlimits: ociRlimits(hostConfig.Ulimits),
    noNewPrivileges,
    ...(appArmorProfile !== undefined && deps.facts.appArmor ? { apparmorProfile: appArmorProfile } : {}),
    oomScoreAdj: hostConfig.OomScoreAdj,
  };
}

function buildLinux(deps: SpecDeps, request: SpecRequest): OciLinux {
  const { config, hostConfig } = request;
  const { facts } = deps;
  const devices = ociDevices({
    privileged: hostConfig.Privileged,
    mapped: request.mappedDevices,
    rules: hostConfig.DeviceCgroupRules ?? [],
    hostDevices: request.hostDevices,
  });
  const seccomp = chooseSeccomp(deps, hostConfig);
  const propagation = rootfsPropagation(request.mounts);
  const sysctl = {
    ...ociSysctls(hostConfig, config.NetworkDisabled, facts),
    ...(config.Domainname === '' || hostConfig.UTSMode === 'host' ? {} : { 'kernel.domainname': config.Domainname }),
  };
  const defaultMasked = facts.additionalMaskedPaths;
  return {
    namespaces: ociNamespaces(hostConfig, networkChoice(config, hostConfig), request.joined.namespaces),
    devices: devices.nodes,
    cgroupsPath: cgroupsPathOf(request.id, hostConfig),
    resources: { devices: devices.rules, ...ociResources(hostConfig, request.blockDevices) },
    sysctl,
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    maskedPaths: withAdditional(hostConfig.MaskedPaths ?? [], defaultMasked),
    readonlyPaths: hostConfig.ReadonlyPaths ?? [],
  };
}

/** The paths that only some hosts have follow the list: whoever emptied it wants nothing masked. */
function withAdditional(masked: readonly string[], additional: readonly string[]): readonly string[] {
  return masked.length === 0 ? masked : [...masked, ...additional];
}

function grantedCapabilities(hostConfig: HostConfig, facts: HostFacts): readonly string[] {
  const { CapAdd: add, CapDrop: drop, Privileged: privileged } = hostConfig;
  return resolveCapabilities({ add: add ?? [], drop: drop ?? [], privileged }, facts.capabilities);
}

/** A privileged container has no filter unless it brings its own. Source: moby daemon/seccomp_linux.go. */
function chooseSeccomp(deps: SpecDeps, hostConfig: HostConfig): OciSeccomp | undefined {
  const { seccomp } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const capabilities = grantedCapabilities(hostConfig, deps.facts);
  switch (seccomp.use) {
    case 'unconfined':
      return undefined;
    case 'profile':
      return translateSeccomp(seccomp.profile, deps.facts, capabilities);
    case 'default':
      return hostConfig.Privileged ? undefined : deps.defaultSeccomp(capabilities);
    default:
      return seccomp satisfies never;
  }
}
