import { EngineError, type HostConfig, type Resources } from '@fairlead/protocol';

/** One thing that Docker can and this engine cannot yet: the field, and whether somebody asked for it. */
type Gap = readonly [field: string, asked: boolean];

/**
 * Refuses what is not implemented: a container that lacks what its user asked for would be worse than none.
 *
 * @throws EngineError 'not-implemented', naming the field.
 */
export function refuseGaps(hostConfig: HostConfig): void {
  const found = hostConfigGaps(hostConfig).find(([, asked]) => asked);
  if (found !== undefined) throw new EngineError('not-implemented', `${found[0]} is not implemented yet`);
}

/** What is asked for, has no effect here, and harms nobody by that. */
export function ignoredWarnings(hostConfig: Resources): readonly string[] {
  const ignored: readonly Gap[] = [['HostConfig.CpuCount', hostConfig.CpuCount > 0]];
  return [
    ...(hostConfig.KernelMemory > 0
      ? [
          'Your kernel does not support kernel memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
        ]
      : []),
    ...(hostConfig.CpuPercent > 0 ? ['linux does not support CPU percent. Percent discarded.'] : []),
    ...ignored.filter(([, asked]) => asked).map(([field]) => `${field} has no effect on Linux here and is discarded.`),
  ];
}

function hostConfigGaps(hostConfig: HostConfig): readonly Gap[] {
  return [
    ['HostConfig.DeviceRequests', (hostConfig.DeviceRequests ?? []).length > 0],
    ['HostConfig.StorageOpt', Object.keys(hostConfig.StorageOpt).length > 0],
    ['HostConfig.Cgroup', hostConfig.Cgroup !== ''],
  ];
}
