import { EngineError, type ContainerConfig, type HostConfig } from '@fairlead/protocol';

/** Which network a container is on in this engine. */
export type NetworkChoice = 'none' | 'host' | 'bridge';

/** NetworkMode as a choice; anything but the three predefined networks must have been refused before. */
export function networkChoice(
  config: Pick<ContainerConfig, 'NetworkDisabled'>,
  hostConfig: Pick<HostConfig, 'NetworkMode'>,
): NetworkChoice {
  if (config.NetworkDisabled || hostConfig.NetworkMode === 'none') return 'none';
  return hostConfig.NetworkMode === 'host' ? 'host' : 'bridge';
}

/** Every value each mode may have without another container. The first is what an empty text means. */
const MODES = {
  IpcMode: { values: ['private', 'shareable', 'none', 'host'], words: 'IPC mode' },
  PidMode: { values: ['', 'host'], words: 'PID mode' },
  UTSMode: { values: ['', 'host'], words: 'UTS mode' },
  UsernsMode: { values: ['', 'host'], words: 'user namespace mode' },
  CgroupnsMode: { values: ['private', 'host'], words: 'cgroup namespace mode' },
} as const;

/**
 * Checks the namespace modes, and that nothing is asked for that a shared namespace cannot have.
 *
 * @throws EngineError 'invalid-argument' `invalid PID mode: x`, `conflicting options: hostname and the UTS mode`;
 *   'not-implemented' for `container:…`.
 */
export function checkModes(config: ContainerConfig, hostConfig: HostConfig): void {
  checkMode('IpcMode', hostConfig.IpcMode);
  checkMode('PidMode', hostConfig.PidMode);
  checkMode('UTSMode', hostConfig.UTSMode);
  checkMode('UsernsMode', hostConfig.UsernsMode);
  checkMode('CgroupnsMode', hostConfig.CgroupnsMode);
  if (hostConfig.UTSMode !== 'host') return;
  if (config.Hostname !== '')
    throw new EngineError('invalid-argument', 'conflicting options: hostname and the UTS mode');
  if (config.Domainname !== '') {
    throw new EngineError('invalid-argument', 'conflicting options: domainname and the UTS mode');
  }
}

function checkMode(field: keyof typeof MODES, mode: string): void {
  const { values, words } = MODES[field];
  if (mode === '' || values.some((value) => value === mode)) return;
  if (/^container:./.test(mode) && (field === 'IpcMode' || field === 'PidMode')) {
    throw new EngineError(
      'not-implemented',
      `HostConfig.${field} of another container (${mode}) is not implemented yet`,
    );
  }
  throw new EngineError('invalid-argument', `invalid ${words}: ${mode}`);
}
