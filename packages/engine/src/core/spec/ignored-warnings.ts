import type { Resources } from '@fairlead/protocol';

/** What is asked for, has no effect here, and harms nobody by that. */
export function ignoredWarnings(hostConfig: Resources): readonly string[] {
  return [
    ...(hostConfig.KernelMemory > 0
      ? [
          'Your kernel does not support kernel memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
        ]
      : []),
    ...(hostConfig.CpuPercent > 0 ? ['linux does not support CPU percent. Percent discarded.'] : []),
    ...(hostConfig.CpuCount > 0 ? ['HostConfig.CpuCount has no effect on Linux here and is discarded.'] : []),
  ];
}
