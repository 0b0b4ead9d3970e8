import { EngineError, type HostConfig } from '@fairlead/protocol';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import type { EtcPaths } from '../ports/container-files.ts';
import { blockDevicePaths } from '../spec/block-io.ts';
import { buildSpec, NOTHING_JOINED } from '../spec/build-spec.ts';
import { hostnameFile, hostsFile, resolvConfFile, resolvConfSource } from '../spec/etc-files.ts';
import { linkedHost, linkEnvironment, type LinkedContainer } from '../spec/links.ts';
import { networkChoice } from '../spec/modes.ts';
import { checkProcMounts } from '../spec/proc-mounts.ts';
import { checkPropagation } from '../spec/propagation.ts';
import { sourcesToCreate, type MountPoint } from '../spec/mount-points.ts';
import type { OciProcess, OciSpec } from '../spec/oci.ts';
import { resolveUser, USER_FILE_BYTES_MAX, type ResolvedUser } from '../spec/resolve-user.ts';
import type { ContainerDeps } from './deps.ts';
import type { Joined } from './joined.ts';
import { linkedContainers } from './links.ts';
import { mountPointsOf } from './mount-points.ts';
import type { ContainerRecord } from './record.ts';

export type SpecDeps = Pick<
  ContainerDeps,
  'directory' | 'files' | 'facts' | 'devices' | 'defaultSeccomp' | 'initPath' | 'network' | 'volumes'
>;

export interface SpecPlace {
  readonly rootPath: string;
  readonly endpoint: NetworkEndpoint | null;
  readonly joined: Joined;
}

/**
 * The specification of a container's process, after everything it refers to on the host was made: the files mounted over
 * its own, missing bind sources.
 * @throws EngineError in Docker's words: unknown user, missing device.
 */
export async function containerSpec(deps: SpecDeps, record: ContainerRecord, place: SpecPlace): Promise<OciSpec> {
  const { id, config, hostConfig } = record;
  refuseDeviceRequests(hostConfig);
  const points = mountPointsOf(record);
  const linked = linkedContainers(deps, record);
  checkProcMounts(points);
  await checkBinds(deps, points);
  const [user, etcPaths, mapped, blockDevices, hostDevices] = await Promise.all([
    containerUser(deps, place.rootPath, { user: config.User, groupAdd: hostConfig.GroupAdd ?? [] }),
    writeEtcFiles(deps, record, { ...place, linked }),
    Promise.all(hostConfig.Devices.map((mapping) => deps.devices.find(mapping))),
    deps.devices.numbers(blockDevicePaths(hostConfig)),
    hostConfig.Privileged ? deps.devices.all() : [],
    ...sourcesToCreate(points).map((path) => deps.files.ensureBindSource(path)),
  ]);
  return buildSpec(deps, {
    id,
    config,
    hostConfig,
    user,
    rootfsPath: place.rootPath,
    joined: { ...place.joined, shmPath: await shmPath(deps, record, place.joined) },
    linkedEnvironment: linked.flatMap(linkEnvironment),
    mounts: points,
    volumePath: (name) => deps.volumes.store.path(name),
    etcPaths,
    initPath: deps.initPath,
    mappedDevices: mapped.flat(),
    blockDevices,
    hostDevices,
  });
}

/** The first process of a container as its specification has it, for what is derived from it. Makes nothing. */
export function containerProcess(deps: SpecDeps, record: ContainerRecord, user: ResolvedUser): OciProcess {
  return buildSpec(deps, {
    id: record.id,
    config: record.config,
    hostConfig: record.hostConfig,
    user,
    rootfsPath: '/',
    joined: NOTHING_JOINED,
    linkedEnvironment: [],
    mounts: [],
    volumePath: (name) => name,
    etcPaths: deps.files.etcPaths(record.id),
    initPath: deps.initPath,
    mappedDevices: [],
    blockDevices: new Map(),
    hostDevices: [],
  }).process;
}

/** This engine has no drivers of devices. Source: moby daemon/devices.go, in the words of a Docker without them. */
function refuseDeviceRequests({ DeviceRequests: requests }: Pick<HostConfig, 'DeviceRequests'>): void {
  const [request] = requests ?? [];
  if (request === undefined) return;
  const capabilities = (request.Capabilities ?? []).map((set) => `[${set.join(' ')}]`).join(' ');
  const words = `could not select device driver ${JSON.stringify(request.Driver)} with capabilities: [${capabilities}]`;
  throw new EngineError('internal', words);
}

/** Looks a user up in the container's own files. @throws EngineError, see `resolveUser`. */
export async function containerUser(
  deps: Pick<ContainerDeps, 'files'>,
  rootPath: string,
  request: { readonly user: string; readonly groupAdd: readonly string[] },
): Promise<ResolvedUser> {
  const [passwd, group] = await Promise.all([
    deps.files.readInside(rootPath, '/etc/passwd', USER_FILE_BYTES_MAX),
    deps.files.readInside(rootPath, '/etc/group', USER_FILE_BYTES_MAX),
  ]);
  return resolveUser({ passwd: passwd ?? '', group: group ?? '' }, request);
}

/** Shared memory that others may share is mounted on the host, where they find it. */
async function shmPath(
  { files }: Pick<ContainerDeps, 'files'>,
  { id, hostConfig }: ContainerRecord,
  joined: Joined,
): Promise<string | undefined> {
  if (hostConfig.IpcMode !== 'shareable') return joined.shmPath;
  return await files.mountShm(id, hostConfig.ShmSize);
}

/** Most binds are private, and then nothing needs to be read. */
async function checkBinds(deps: Pick<ContainerDeps, 'files'>, points: readonly MountPoint[]): Promise<void> {
  const propagate = points.some((point) => point.kind === 'bind' && !point.propagation.endsWith('private'));
  if (propagate) checkPropagation(points, (await deps.files.readHost('/proc/self/mountinfo')) ?? '');
}

async function writeEtcFiles(
  deps: SpecDeps,
  record: ContainerRecord,
  { endpoint, joined, linked }: SpecPlace & { readonly linked: readonly LinkedContainer[] },
): Promise<EtcPaths> {
  const { config, hostConfig } = record;
  // Who shares a network shares what is said about it.
  if (joined.networkOwner !== undefined) return deps.files.etcPaths(joined.networkOwner.id);
  const sharesHostNetwork = networkChoice(config, hostConfig) === 'host';
  return await deps.files.writeEtc(record.id, {
    hostname: hostnameFile(config.Hostname),
    hosts: hostsFile({
      hostname: config.Hostname,
      domainname: config.Domainname,
      extraHosts: hostConfig.ExtraHosts ?? [],
      linked: linked.map(linkedHost),
      ipAddress: endpoint?.ipAddress,
      hostGateway: deps.network.bridge.gateway,
      hostFile: sharesHostNetwork ? await deps.files.readHost('/etc/hosts') : undefined,
    }),
    resolvConf: resolvConfFile({
      host: await hostResolvConf(deps),
      nameservers: hostConfig.Dns,
      search: hostConfig.DnsSearch,
      options: hostConfig.DnsOptions,
      sharesHostNetwork,
    }),
  });
}

async function hostResolvConf(deps: Pick<ContainerDeps, 'files'>): Promise<string> {
  const etc = (await deps.files.readHost('/etc/resolv.conf')) ?? '';
  const source = resolvConfSource(etc);
  return source === '/etc/resolv.conf' ? etc : ((await deps.files.readHost(source)) ?? etc);
}
