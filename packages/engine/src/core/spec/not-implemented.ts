import { EngineError, type ContainerConfig, type HostConfig, type Resources } from '@fairlead/protocol';
import type { ImageRuntimeConfig } from '../image/record.ts';

/** One thing that Docker can and this engine cannot yet: the field, and whether somebody asked for it. */
type Gap = readonly [field: string, asked: boolean];

/**
 * Refuses what is not implemented: a container that lacks what its user asked for would be worse than none.
 *
 * @throws EngineError 'not-implemented', naming the field.
 */
export function refuseGaps(config: ContainerConfig, hostConfig: HostConfig): void {
  const found = [...configGaps(config), ...hostConfigGaps(hostConfig)].find(([, asked]) => asked);
  if (found !== undefined) throw new EngineError('not-implemented', `${found[0]} is not implemented yet`);
}

/** As `refuseGaps`, for an update. @throws EngineError 'not-implemented', naming the field. */
export function refuseResourceGaps(resources: Resources): void {
  const found = resourceGaps(resources).find(([, asked]) => asked);
  if (found !== undefined) throw new EngineError('not-implemented', `${found[0]} is not implemented yet`);
}

/** What an image declares and this engine does not do yet. Its user did not ask for it, so the container runs, and he is told. */
export function imageGapWarnings(config: ContainerConfig, image: ImageRuntimeConfig): readonly string[] {
  const volumes = Object.keys(image.Volumes ?? {});
  const probe = image.Healthcheck?.Test ?? [];
  const turnedOff = config.Healthcheck?.Test?.[0] === 'NONE';
  return [
    ...(volumes.length === 0
      ? []
      : [
          `Volumes are not implemented yet: ${volumes.join(', ')}, declared by the image, is part of the container's own file system and goes with it.`,
        ]),
    ...(probe.length === 0 || probe[0] === 'NONE' || turnedOff
      ? []
      : ['Health checks are not implemented yet: the one of the image is not run.']),
  ];
}

/** What is asked for, has no effect here, and harms nobody by that. */
export function ignoredWarnings(hostConfig: HostConfig): readonly string[] {
  const ignored: readonly Gap[] = [
    ['HostConfig.CpuCount', hostConfig.CpuCount > 0],
    ['HostConfig.VolumeDriver', hostConfig.VolumeDriver !== '' && hostConfig.VolumeDriver !== 'local'],
  ];
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

function configGaps(config: ContainerConfig): readonly Gap[] {
  const { Healthcheck: check } = config;
  return [
    ['Config.Healthcheck', check !== null && check.Test?.[0] !== 'NONE'],
    ['Config.Volumes', Object.keys(config.Volumes ?? {}).length > 0],
  ];
}

function hostConfigGaps(hostConfig: HostConfig): readonly Gap[] {
  return [
    ['HostConfig.VolumesFrom', (hostConfig.VolumesFrom ?? []).length > 0],
    ['HostConfig.DeviceRequests', (hostConfig.DeviceRequests ?? []).length > 0],
    ['HostConfig.StorageOpt', Object.keys(hostConfig.StorageOpt).length > 0],
    ['HostConfig.Cgroup', hostConfig.Cgroup !== ''],
    ...resourceGaps(hostConfig),
  ];
}

function resourceGaps(resources: Resources): readonly Gap[] {
  return [
    ['HostConfig.BlkioWeight', resources.BlkioWeight > 0],
    ['HostConfig.BlkioWeightDevice', resources.BlkioWeightDevice.length > 0],
    ['HostConfig.BlkioDeviceReadBps', resources.BlkioDeviceReadBps.length > 0],
    ['HostConfig.BlkioDeviceWriteBps', resources.BlkioDeviceWriteBps.length > 0],
    ['HostConfig.BlkioDeviceReadIOps', resources.BlkioDeviceReadIOps.length > 0],
    ['HostConfig.BlkioDeviceWriteIOps', resources.BlkioDeviceWriteIOps.length > 0],
    ['HostConfig.CpuRealtimePeriod', resources.CpuRealtimePeriod !== 0],
    ['HostConfig.CpuRealtimeRuntime', resources.CpuRealtimeRuntime !== 0],
    ['HostConfig.KernelMemoryTCP', resources.KernelMemoryTCP !== 0],
  ];
}
