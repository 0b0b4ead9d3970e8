import { EngineError, type ContainerConfig, type HostConfig } from '@fairlead/protocol';

/** Which network a container is on in this engine. */
export type NetworkChoice = 'none' | 'host' | 'bridge' | 'container';

/** The container that a mode says to share with: what is behind `container:`; undefined: no other. */
export function joinedContainer(mode: string): string | undefined {
  return mode.startsWith('container:') ? mode.slice('container:'.length) : undefined;
}

/** NetworkMode as a choice. A network that is none of the predefined ones is taken for a bridge: its start fails. */
export function networkChoice(
  config: Pick<ContainerConfig, 'NetworkDisabled'>,
  hostConfig: Pick<HostConfig, 'NetworkMode'>,
): NetworkChoice {
  if (config.NetworkDisabled || hostConfig.NetworkMode === 'none') return 'none';
  if (joinedContainer(hostConfig.NetworkMode) !== undefined) return 'container';
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
 * @throws EngineError 'invalid-argument' `invalid PID mode: x`, `conflicting options: hostname and the UTS mode`.
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
  const canJoin = field === 'IpcMode' || field === 'PidMode';
  if (canJoin && (joinedContainer(mode) ?? '') !== '') return;
  throw new EngineError('invalid-argument', `invalid ${words}: ${mode}`);
}
