import { EngineError, type Resources, type ThrottleDevice } from '@fairlead/protocol';
import type { CgroupAbilities } from './host-facts.ts';
import type { OciBlockIo, OciDeviceNumber, OciThrottleDevice } from './oci.ts';

/** The numbers of devices, by their paths on the host. */
export type BlockDevices = ReadonlyMap<string, OciDeviceNumber>;

/** A field that limits single devices. */
export type BlockIoList =
  | 'BlkioWeightDevice'
  | 'BlkioDeviceReadBps'
  | 'BlkioDeviceWriteBps'
  | 'BlkioDeviceReadIOps'
  | 'BlkioDeviceWriteIOps';

/** All of them. */
export const BLOCK_IO_LISTS: readonly BlockIoList[] = [
  'BlkioWeightDevice',
  'BlkioDeviceReadBps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteIOps',
];

type BlockIo = Pick<Resources, 'BlkioWeight' | BlockIoList>;

/** Each list with what the host must have for it, and Docker's words when it has not. */
const NEEDS: Readonly<Record<BlockIoList, readonly [ability: keyof CgroupAbilities, lacking: string]>> = {
  BlkioWeightDevice: [
    'blkioWeightDevice',
    'Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
  ],
  BlkioDeviceReadBps: [
    'blkioReadBps',
    'BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
  ],
  BlkioDeviceWriteBps: [
    'blkioWriteBps',
    'BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.',
  ],
  BlkioDeviceReadIOps: [
    'blkioReadIops',
    'IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.',
  ],
  BlkioDeviceWriteIOps: [
    'blkioWriteIops',
    'IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.',
  ],
};

/** What the kernel takes. */
const WEIGHT_MIN = 10;
const WEIGHT_MAX = 1000;

/**
 * Checks limits of block I/O against what the host can do; what it cannot do is discarded with a warning.
 * @throws EngineError 'invalid-argument' in Docker's words. Source: moby v28 verifyPlatformContainerResources.
 */
export function checkBlockIo(
  asked: BlockIo,
  cgroups: CgroupAbilities,
): { readonly resources: Partial<BlockIo>; readonly warnings: readonly string[] } {
  const weightLost = asked.BlkioWeight > 0 && !cgroups.blkioWeight;
  if (!weightLost && asked.BlkioWeight !== 0 && !isWeight(asked.BlkioWeight)) {
    throw new EngineError('invalid-argument', `Range of blkio weight is from ${WEIGHT_MIN} to ${WEIGHT_MAX}`);
  }
  const lost = BLOCK_IO_LISTS.filter((field) => asked[field].length > 0 && !cgroups[NEEDS[field][0]]);
  return {
    resources: { ...(weightLost ? { BlkioWeight: 0 } : {}), ...Object.fromEntries(lost.map((field) => [field, []])) },
    warnings: [
      ...(weightLost ? ['Block I/O weight or the cgroup is not mounted. Weight discarded.'] : []),
      ...lost.map((field) => NEEDS[field][1]),
    ].map((words) => `Your kernel does not support ${words}`),
  };
}

/** Every device that the limits name, once. */
export function blockDevicePaths(limits: BlockIo): readonly string[] {
  return [...new Set(BLOCK_IO_LISTS.flatMap((field) => limits[field].map(({ Path }) => Path)))];
}

/** The limits in OCI's words; what is not limited is absent. Devices that are not among `devices` are left out. */
export function ociBlockIo(limits: BlockIo, devices: BlockDevices): OciBlockIo {
  const throttled = (list: readonly ThrottleDevice[]): readonly OciThrottleDevice[] =>
    list.flatMap(({ Path, Rate: rate }) => withNumber(devices, Path, { rate }));
  const all: Required<Omit<OciBlockIo, 'weight'>> = {
    weightDevice: limits.BlkioWeightDevice.flatMap(({ Path, Weight: weight }) => withNumber(devices, Path, { weight })),
    throttleReadBpsDevice: throttled(limits.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttled(limits.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttled(limits.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttled(limits.BlkioDeviceWriteIOps),
  };
  return {
    ...(limits.BlkioWeight > 0 ? { weight: limits.BlkioWeight } : {}),
    ...Object.fromEntries(Object.entries(all).filter(([, list]) => list.length > 0)),
  };
}

function isWeight(weight: number): boolean {
  return weight >= WEIGHT_MIN && weight <= WEIGHT_MAX;
}

function withNumber<T>(devices: BlockDevices, path: string, limit: T): readonly (OciDeviceNumber & T)[] {
  const number = devices.get(path);
  return number === undefined ? [] : [{ ...number, ...limit }];
}
