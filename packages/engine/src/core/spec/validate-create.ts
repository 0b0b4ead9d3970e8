import {
  EngineError,
  parseSignal,
  type ContainerConfig,
  type HostConfig,
  type NetworkingConfig,
} from '@fairlead/protocol';
import type { ImageRuntimeConfig } from '../image/record.ts';
import type { ValidateDeps } from './engine-abilities.ts';
import type { HostFacts } from './host-facts.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from './masked-paths.ts';
import { mergeImageConfig } from './merge-image-config.ts';
import { checkModes } from './modes.ts';
import { askedMounts, type AskedMount } from './mount-points.ts';
import { ignoredWarnings } from './ignored-warnings.ts';
import { isAbsolute } from './paths.ts';
import { checkHealthcheck } from './validate-healthcheck.ts';
import { checkHostConfig } from './validate-host-config.ts';
import { checkNetwork, requestedMacAddress } from './validate-network.ts';
import { checkResources } from './validate-resources.ts';
import { parseVolumesFrom, volumesOfConfig, type VolumesFrom } from './volume-requests.ts';

export type { EngineAbilities } from './engine-abilities.ts';

/** What a create asks for, decoded, and what the image adds. */
export interface CreateRequest {
  /** As the client sent it, not merged. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig;
  readonly image: ImageRuntimeConfig;
}

/** A create that can be carried out. */
export interface ValidatedCreate {
  /** Merged with the image's. */
  readonly config: ContainerConfig;
  /** With Docker's defaults filled in, and without what the host cannot do: as inspect shows it. */
  readonly hostConfig: HostConfig;
  /** To be checked on the host: `checkBindSources`. Config.Volumes is not among them: other containers' mounts come before. */
  readonly mounts: readonly AskedMount[];
  readonly volumesFrom: readonly VolumesFrom[];
  readonly warnings: readonly string[];
}

/** Longest host name. Source: Linux, HOST_NAME_MAX. */
const HOSTNAME_BYTES_MAX = 64;

/**
 * Checks a create in full before anything is made. What this engine does not honour is refused or named in the warnings,
 * never left out in silence.
 *
 * @throws EngineError in Docker's words: 'invalid-argument', 'not-implemented'.
 */
export function validateCreate(deps: ValidateDeps, request: CreateRequest): ValidatedCreate {
  const { config, hostConfig, image } = request;
  refuseNulBytes(config, 'Config');
  refuseNulBytes(hostConfig, 'HostConfig');
  const merged = mergeImageConfig(config, image);
  checkConfig(merged);
  checkModes(config, hostConfig);
  const networkWarnings = checkNetwork(request);
  const hostWarnings = checkHostConfig(deps, hostConfig);
  const resources = checkResources(hostConfig, deps.facts);
  const mounts = askedMounts(hostConfig);
  checkRecursiveReadOnly(mounts, deps.facts);
  volumesOfConfig(merged, hostConfig, new Set());
  return {
    config: { ...merged, MacAddress: requestedMacAddress(request) },
    hostConfig: withDefaults({ ...hostConfig, ...resources.resources }, deps),
    mounts,
    volumesFrom: (hostConfig.VolumesFrom ?? []).map(parseVolumesFrom),
    warnings: [...resources.warnings, ...networkWarnings, ...hostWarnings, ...ignoredWarnings(hostConfig)],
  };
}

function checkConfig(config: ContainerConfig): void {
  const { WorkingDir: directory, StopSignal: stopSignal, Hostname: hostname } = config;
  if (directory !== '' && !isAbsolute(directory)) {
    const words = `the working directory '${directory}' is invalid, it needs to be an absolute path`;
    throw new EngineError('invalid-argument', words);
  }
  if (stopSignal !== '') parseSignal(stopSignal);
  checkHealthcheck(config.Healthcheck);
  for (const entry of config.Env ?? []) {
    if (entry === '' || entry.startsWith('=')) {
      throw new EngineError('invalid-argument', `invalid environment variable: ${entry}`);
    }
  }
  if (Buffer.byteLength(hostname) > HOSTNAME_BYTES_MAX || /[\s/]/.test(hostname)) {
    throw new EngineError('invalid-argument', `invalid hostname: ${hostname}`);
  }
}

function checkRecursiveReadOnly(points: readonly AskedMount[], facts: HostFacts): void {
  if (facts.recursiveReadOnly) return;
  for (const point of points) {
    if (point.kind !== 'bind' || point.readOnlyBelow !== 'force') continue;
    const words = `recursively read-only mounts need Linux 5.12 or later: mount at ${point.target}`;
    throw new EngineError('invalid-argument', words);
  }
}

/** Source: moby v28 adaptContainerSettings and createContainerOSSpecificSettings. */
function withDefaults(hostConfig: HostConfig, { facts, abilities }: ValidateDeps): HostConfig {
  const shared = facts.cgroupVersion === 1 || !facts.cgroupNamespaces;
  return {
    ...hostConfig,
    CpuPercent: 0,
    IpcMode: hostConfig.IpcMode || 'private',
    NetworkMode: hostConfig.NetworkMode === 'default' ? 'bridge' : hostConfig.NetworkMode,
    CgroupnsMode: hostConfig.CgroupnsMode || (shared ? 'host' : 'private'),
    Runtime: hostConfig.Runtime || (abilities.runtimes[0] ?? ''),
    SecurityOpt: hostConfig.SecurityOpt ?? (isUnlabelled(hostConfig) ? ['label=disable'] : null),
    MaskedPaths: hostConfig.MaskedPaths ?? (hostConfig.Privileged ? null : DEFAULT_MASKED_PATHS),
    ReadonlyPaths: hostConfig.ReadonlyPaths ?? (hostConfig.Privileged ? null : DEFAULT_READONLY_PATHS),
  };
}

/** Who shares the host's processes has no label of its own. Source: moby daemon/create.go, generateSecurityOpt. */
function isUnlabelled({ Privileged, PidMode, IpcMode }: HostConfig): boolean {
  return Privileged || PidMode === 'host' || IpcMode === 'host';
}

/** Runtimes are written in C: a text would end at its first NUL byte, and something else than was checked would be used. */
function refuseNulBytes(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new EngineError('invalid-argument', `${path} contains a NUL byte`);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key.includes('\0')) throw new EngineError('invalid-argument', `${path} contains a NUL byte`);
    refuseNulBytes(inner, `${path}.${key}`);
  }
}
