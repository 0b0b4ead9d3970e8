import { EngineError, type HostConfig, type RestartPolicy } from '@fairlead/protocol';
import { resolveCapabilities } from './capabilities.ts';
import { checkDeviceMappings, parseDeviceRule } from './devices.ts';
import { parseExtraHost } from './extra-hosts.ts';
import { addressFamily } from './ip-address.ts';
import { checkLogConfig } from './log-options.ts';
import { parseSecurityOptions } from './security-options.ts';
import { checkSysctls } from './sysctls.ts';
import { checkUlimits } from './ulimits.ts';
import type { ValidateDeps } from './engine-abilities.ts';

/**
 * Checks what needs no other part of the request: policies, capabilities, names, devices, security, log.
 *
 * @returns warnings.
 * @throws EngineError 'invalid-argument' in Docker's words. Source: moby v28 daemon/container.go, validateHostConfig.
 */
export function checkHostConfig(deps: ValidateDeps, hostConfig: HostConfig): readonly string[] {
  checkRestartPolicy(hostConfig.RestartPolicy, hostConfig.AutoRemove);
  for (const text of hostConfig.ExtraHosts ?? []) parseExtraHost(text);
  checkDns(hostConfig);
  const { CapAdd: add, CapDrop: drop, Privileged: privileged } = hostConfig;
  resolveCapabilities({ add: add ?? [], drop: drop ?? [], privileged }, deps.facts.capabilities);
  checkUlimits(hostConfig.Ulimits);
  checkSysctls(hostConfig);
  checkDeviceMappings(hostConfig.Devices);
  for (const rule of hostConfig.DeviceCgroupRules ?? []) parseDeviceRule(rule);
  checkScalars(hostConfig);
  checkAbilities(deps, hostConfig);
  return [...checkLogConfig(hostConfig.LogConfig), ...securityWarnings(deps, hostConfig)];
}

/** @throws EngineError 'invalid-argument' in Docker's words. */
export function checkRestartPolicy(policy: RestartPolicy, autoRemove: boolean): void {
  const { Name: name, MaximumRetryCount: count } = policy;
  if (autoRemove && name !== 'no' && name !== '') {
    throw new EngineError('invalid-argument', "can't create 'AutoRemove' container with restart policy");
  }
  switch (name) {
    case '':
      // An update that says nothing about the policy, and may say any count.
      // Source: moby v28 api/types/container/hostconfig.go, ValidateRestartPolicy.
      return;
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (count === 0) return;
      throw new EngineError(
        'invalid-argument',
        `invalid restart policy: maximum retry count can only be used with 'on-failure'${count < 0 ? ' and cannot be negative' : ''}`,
      );
    case 'on-failure':
      if (count >= 0) return;
      throw new EngineError('invalid-argument', 'invalid restart policy: maximum retry count cannot be negative');
    default:
      throw new EngineError(
        'invalid-argument',
        `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      );
  }
}

function checkDns(hostConfig: HostConfig): void {
  for (const server of hostConfig.Dns) {
    if (addressFamily(server) === undefined) {
      throw new EngineError('invalid-argument', `bad nameserver address ${JSON.stringify(server)}`);
    }
  }
  for (const text of [...hostConfig.DnsSearch, ...hostConfig.DnsOptions]) {
    if (text === '' || /\s/.test(text)) {
      throw new EngineError('invalid-argument', `bad DNS search domain or option: ${JSON.stringify(text)}`);
    }
  }
}

function checkScalars(hostConfig: HostConfig): void {
  const { ShmSize: shmBytes, OomScoreAdj: score, CgroupParent: parent, Isolation: isolation } = hostConfig;
  if (shmBytes < 0) throw new EngineError('invalid-argument', 'SHM size can not be less than 0');
  if (score < -1000 || score > 1000) {
    throw new EngineError('invalid-argument', `Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  }
  if (parent.split('/').includes('..')) throw new EngineError('invalid-argument', `invalid cgroup parent: ${parent}`);
  if (isolation !== '' && isolation !== 'default') {
    throw new EngineError(
      'invalid-argument',
      `invalid isolation: ${JSON.stringify(isolation)} - linux only supports 'default'`,
    );
  }
  const quality =
    hostConfig.IOMaximumBandwidth !== 0 ? 'bandwidth' : hostConfig.IOMaximumIOps !== 0 ? 'IOPs' : undefined;
  if (quality !== undefined) {
    const words = `invalid QoS settings: linux does not support configuration of maximum ${quality}`;
    throw new EngineError('invalid-argument', words);
  }
  if (Object.keys(hostConfig.StorageOpt).length > 0) {
    // The root's file system is not asked for quotas: Docker's words where there are none.
    const words = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option";
    throw new EngineError('invalid-argument', words);
  }
  if (Object.hasOwn(hostConfig.Annotations, '')) {
    const words = 'invalid Annotations: the empty string is not permitted as an annotation key';
    throw new EngineError('invalid-argument', words);
  }
}

function checkAbilities({ abilities }: ValidateDeps, hostConfig: HostConfig): void {
  const { Runtime: runtime } = hostConfig;
  if (runtime !== '' && !abilities.runtimes.includes(runtime)) {
    throw new EngineError('invalid-argument', `unknown or invalid runtime name: ${runtime}`);
  }
  if (hostConfig.Init === true && !abilities.hasInit) {
    throw new EngineError('invalid-argument', 'exec: "docker-init": executable file not found in $PATH');
  }
}

function securityWarnings({ facts }: ValidateDeps, hostConfig: HostConfig): readonly string[] {
  const { appArmorProfile, labels } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const named = appArmorProfile !== undefined && appArmorProfile !== 'unconfined';
  return [
    ...(named && !facts.appArmor ? ['This host has no AppArmor. The AppArmor profile is discarded.'] : []),
    ...(labels.length > 0 ? ['SELinux labels are not implemented yet and are discarded.'] : []),
  ];
}
