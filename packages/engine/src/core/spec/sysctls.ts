import { EngineError, type HostConfig, type StringMap } from '@fairlead/protocol';
import { networkChoice } from './modes.ts';
import type { HostFacts } from './host-facts.ts';

/** Settings that belong to an IPC namespace. Source: runc libcontainer/configs/validate/validator.go. */
const IPC_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/**
 * Refuses kernel settings that would change the host. Checked at create, so that the user hears of it then; the runtime
 * would refuse to start.
 *
 * @throws EngineError 'invalid-argument' in runc's words.
 */
export function checkSysctls(hostConfig: HostConfig): void {
  for (const name of Object.keys(hostConfig.Sysctls)) {
    if (name.startsWith('net.')) {
      if (hostConfig.NetworkMode === 'host') throw refused(name, 'not allowed in host network namespace');
    } else if (IPC_SYSCTLS.has(name) || name.startsWith('fs.mqueue.')) {
      if (hostConfig.IpcMode === 'host') throw refused(name, 'not allowed in the hosts ipc namespace');
    } else if (name === 'kernel.domainname') {
      if (hostConfig.UTSMode === 'host') throw refused(name, 'not allowed in the hosts uts namespace');
    } else if (name === 'kernel.hostname') {
      throw new EngineError(
        'invalid-argument',
        'sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field',
      );
    } else {
      throw refused(name, 'is not in a separate kernel namespace');
    }
  }
}

/** Docker's own settings for a private network, then what was asked for. Source: moby WithCommonOptions. */
export function ociSysctls(hostConfig: HostConfig, networkDisabled: boolean, facts: HostFacts): StringMap<string> {
  const choice = networkChoice({ NetworkDisabled: networkDisabled }, hostConfig);
  const ownNetwork = choice !== 'host' && choice !== 'container';
  return {
    ...(ownNetwork && facts.unprivilegedPing ? { 'net.ipv4.ping_group_range': '0 2147483647' } : {}),
    ...(ownNetwork && facts.unprivilegedPorts ? { 'net.ipv4.ip_unprivileged_port_start': '0' } : {}),
    ...hostConfig.Sysctls,
  };
}

function refused(name: string, words: string): EngineError {
  return new EngineError('invalid-argument', `sysctl ${JSON.stringify(name)} ${words}`);
}
