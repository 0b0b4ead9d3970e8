import { containerConfigSchema, decodeBody, hostConfigSchema, networkingConfigSchema } from '@fairlead/protocol';
import type { ContainerConfig, HostConfig, NetworkingConfig } from '@fairlead/protocol';
import { KNOWN_CAPABILITIES } from './capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import type { EngineAbilities } from './engine-abilities.ts';

/** A host with two CPUs and everything a kernel can have. */
export const FACTS: HostFacts = {
  architecture: 'amd64',
  kernel: { major: 6, minor: 1 },
  cpuCount: 2,
  onlineCpus: '0-1',
  onlineMemoryNodes: '0',
  memoryBytes: 4 * 1024 ** 3,
  cgroupVersion: 1,
  cgroups: {
    memory: true,
    swap: true,
    memoryReservation: true,
    memorySwappiness: true,
    oomKillDisable: true,
    cpuShares: true,
    cpuQuota: true,
    cpuset: true,
    pids: true,
    blkioWeight: true,
    blkioWeightDevice: true,
    blkioReadBps: true,
    blkioWriteBps: true,
    blkioReadIops: true,
    blkioWriteIops: true,
    cpuRealtime: true,
    kernelMemoryTcp: true,
  },
  cgroupNamespaces: true,
  capabilities: KNOWN_CAPABILITIES,
  unprivilegedPorts: true,
  unprivilegedPing: true,
  appArmor: false,
  recursiveReadOnly: true,
  additionalMaskedPaths: [],
};

/** An engine with two runtimes and an init. */
export const ABILITIES: EngineAbilities = { runtimes: ['crun', 'runc'], hasInit: true };

/** A config as it comes from a client that sent only `fields`. */
export function configWith(fields: object = {}): ContainerConfig {
  return decodeBody(containerConfigSchema, JSON.stringify({ Image: 'busybox', Cmd: ['true'], ...fields }));
}

/** A host config as it comes from a client that sent only `fields`. */
export function hostConfigWith(fields: object = {}): HostConfig {
  return decodeBody(hostConfigSchema, JSON.stringify(fields));
}

/** Networks as they come from a client. */
export function networksWith(endpoints: object = {}): NetworkingConfig {
  return decodeBody(networkingConfigSchema, JSON.stringify({ EndpointsConfig: endpoints }));
}
