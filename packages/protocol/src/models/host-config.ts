import * as v from 'valibot';
import {
  boolField,
  goInt,
  goList,
  goStruct,
  joinEntries,
  int64Field,
  intField,
  nullableBoolField,
  orElse,
  orEmpty,
  textField,
  textMapField,
  textsOrNone,
  textsOrNull,
  type StringMap,
  type StructEntries,
  type WireInput,
  type WireSchema,
} from '../codec/go-schema.ts';
import { deviceMappingSchema, deviceRequestSchema, type DeviceMapping, type DeviceRequest } from './device.ts';
import { mountSchema, type Mount } from './mount.ts';
import { portMapSchema, type PortMap } from './port-map.ts';

/** What Docker gives /dev/shm when nobody says otherwise. Source: moby daemon/config, DefaultShmSize. */
export const SHM_SIZE_DEFAULT_BYTES: number = 64 * 1024 * 1024;

export interface LogConfig {
  /** `json-file` when the client leaves it empty. */
  readonly Type: string;
  readonly Config: StringMap<string>;
}

export interface RestartPolicy {
  /** As sent, and `no` when empty: which names exist is the engine's to say. */
  readonly Name: string;
  readonly MaximumRetryCount: number;
}

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

export interface WeightDevice {
  readonly Path: string;
  readonly Weight: number;
}

export interface ThrottleDevice {
  readonly Path: string;
  /** Bytes or operations per second. */
  readonly Rate: number;
}

/** Rows and columns, in this order. */
export type ConsoleSize = readonly [height: number, width: number];

/** What a container may use of its host, in numbers. The body of an update, too. Sizes are bytes, 0 is no limit. */
export interface Resources {
  readonly CpuShares: number;
  readonly Memory: number;
  /** Billionths of a CPU. */
  readonly NanoCpus: number;
  readonly CgroupParent: string;
  readonly BlkioWeight: number;
  readonly BlkioWeightDevice: readonly WeightDevice[];
  readonly BlkioDeviceReadBps: readonly ThrottleDevice[];
  readonly BlkioDeviceWriteBps: readonly ThrottleDevice[];
  readonly BlkioDeviceReadIOps: readonly ThrottleDevice[];
  readonly BlkioDeviceWriteIOps: readonly ThrottleDevice[];
  /** Microseconds. */
  readonly CpuPeriod: number;
  /** Microseconds. */
  readonly CpuQuota: number;
  readonly CpuRealtimePeriod: number;
  readonly CpuRealtimeRuntime: number;
  readonly CpusetCpus: string;
  readonly CpusetMems: string;
  readonly Devices: readonly DeviceMapping[];
  readonly DeviceCgroupRules: readonly string[] | null;
  readonly DeviceRequests: readonly DeviceRequest[] | null;
  readonly KernelMemory: number;
  readonly KernelMemoryTCP: number;
  readonly MemoryReservation: number;
  /** Memory and swap together; -1 is no limit, 0 twice the memory. */
  readonly MemorySwap: number;
  /** 0–100; null is the host's. A -1 that the client sent is null here. */
  readonly MemorySwappiness: number | null;
  readonly OomKillDisable: boolean | null;
  /** null is no limit: so are 0 and negative numbers that the client sent. An update that takes the limit away leaves 0. */
  readonly PidsLimit: number | null;
  readonly Ulimits: readonly Ulimit[];
  readonly CpuCount: number;
  readonly CpuPercent: number;
  readonly IOMaximumIOps: number;
  readonly IOMaximumBandwidth: number;
}

/** How a container sits on its host. Names and null-or-empty are Docker's; `inspectedHostConfig` leaves out what Docker leaves out. */
export interface HostConfig extends Resources {
  /** `source:target[:options]`. */
  readonly Binds: readonly string[] | null;
  readonly ContainerIDFile: string;
  readonly LogConfig: LogConfig;
  /** `default` when the client leaves it empty. */
  readonly NetworkMode: string;
  readonly PortBindings: PortMap;
  readonly RestartPolicy: RestartPolicy;
  readonly AutoRemove: boolean;
  readonly VolumeDriver: string;
  readonly VolumesFrom: readonly string[] | null;
  readonly ConsoleSize: ConsoleSize;
  readonly Annotations: StringMap<string>;
  readonly CapAdd: readonly string[] | null;
  readonly CapDrop: readonly string[] | null;
  /** Empty: the engine's default. */
  readonly CgroupnsMode: string;
  readonly Dns: readonly string[];
  readonly DnsOptions: readonly string[];
  readonly DnsSearch: readonly string[];
  readonly ExtraHosts: readonly string[] | null;
  readonly GroupAdd: readonly string[] | null;
  /** `private` when the client leaves it empty. */
  readonly IpcMode: string;
  readonly Cgroup: string;
  readonly Links: readonly string[] | null;
  readonly OomScoreAdj: number;
  readonly PidMode: string;
  readonly Privileged: boolean;
  readonly PublishAllPorts: boolean;
  readonly ReadonlyRootfs: boolean;
  readonly SecurityOpt: readonly string[] | null;
  readonly StorageOpt: StringMap<string>;
  /** Target to mount options. */
  readonly Tmpfs: StringMap<string>;
  readonly UTSMode: string;
  readonly UsernsMode: string;
  /** Bytes; `SHM_SIZE_DEFAULT_BYTES` for a 0 that the client sent. Negative is passed on, to be refused. */
  readonly ShmSize: number;
  readonly Sysctls: StringMap<string>;
  /** Empty: the engine's default. */
  readonly Runtime: string;
  readonly Isolation: string;
  readonly Mounts: readonly Mount[];
  /** null: Docker's default list. `[]`: nothing is masked. */
  readonly MaskedPaths: readonly string[] | null;
  readonly ReadonlyPaths: readonly string[] | null;
  readonly Init: boolean | null;
}

/** What a client may send: everything optional. */
export type HostConfigInput = WireInput<HostConfig>;

const throttleDevices: v.GenericSchema<unknown, readonly ThrottleDevice[]> = orElse(
  goList(goStruct<ThrottleDevice>('ThrottleDevice', { Path: textField, Rate: orElse(goInt('uint64'), 0) })),
  [],
);

const weightDevices: v.GenericSchema<unknown, readonly WeightDevice[]> = orElse(
  goList(goStruct<WeightDevice>('WeightDevice', { Path: textField, Weight: orElse(goInt('uint16'), 0) })),
  [],
);

const ulimits: v.GenericSchema<unknown, readonly Ulimit[]> = orElse(
  goList(goStruct<Ulimit>('Ulimit', { Name: textField, Soft: int64Field, Hard: int64Field })),
  [],
);

const consoleSize: v.GenericSchema<unknown, ConsoleSize> = v.pipe(
  orElse(goList(goInt('uint')), [0, 0]),
  v.transform((size): ConsoleSize => [size[0] ?? 0, size[1] ?? 0]),
);

/** The fields of `Resources`, for schemas that hold them at their top level. */
export const resourcesEntries: StructEntries<Resources> = {
  CpuShares: int64Field,
  Memory: int64Field,
  NanoCpus: int64Field,
  CgroupParent: textField,
  BlkioWeight: orElse(goInt('uint16'), 0),
  BlkioWeightDevice: weightDevices,
  BlkioDeviceReadBps: throttleDevices,
  BlkioDeviceWriteBps: throttleDevices,
  BlkioDeviceReadIOps: throttleDevices,
  BlkioDeviceWriteIOps: throttleDevices,
  CpuPeriod: int64Field,
  CpuQuota: int64Field,
  CpuRealtimePeriod: int64Field,
  CpuRealtimeRuntime: int64Field,
  CpusetCpus: textField,
  CpusetMems: textField,
  Devices: orElse(goList(deviceMappingSchema), []),
  DeviceCgroupRules: textsOrNull,
  DeviceRequests: orElse(goList(deviceRequestSchema), null),
  KernelMemory: int64Field,
  KernelMemoryTCP: int64Field,
  MemoryReservation: int64Field,
  MemorySwap: int64Field,
  MemorySwappiness: v.pipe(
    orElse(goInt('int64'), null),
    v.transform((value) => (value === -1 ? null : value)),
  ),
  OomKillDisable: nullableBoolField,
  PidsLimit: v.pipe(
    orElse(goInt('int64'), null),
    v.transform((value) => (value === null || value <= 0 ? null : value)),
  ),
  Ulimits: ulimits,
  CpuCount: int64Field,
  CpuPercent: int64Field,
  IOMaximumIOps: orElse(goInt('uint64'), 0),
  IOMaximumBandwidth: orElse(goInt('uint64'), 0),
};

export const resourcesSchema: WireSchema<Resources> = goStruct<Resources>('Resources', resourcesEntries);

export const hostConfigSchema: WireSchema<HostConfig> = goStruct<HostConfig>(
  'HostConfig',
  joinEntries(
    {
      Binds: textsOrNull,
      ContainerIDFile: textField,
      LogConfig: orEmpty(goStruct<LogConfig>('LogConfig', { Type: textOr('json-file'), Config: textMapField })),
      NetworkMode: textOr('default'),
      PortBindings: orEmpty(portMapSchema),
      RestartPolicy: orEmpty(
        goStruct<RestartPolicy>('RestartPolicy', { Name: textOr('no'), MaximumRetryCount: intField }),
      ),
      AutoRemove: boolField,
      VolumeDriver: textField,
      VolumesFrom: textsOrNull,
      ConsoleSize: consoleSize,
      Annotations: textMapField,
      CapAdd: textsOrNull,
      CapDrop: textsOrNull,
      CgroupnsMode: textField,
      Dns: textsOrNone,
      DnsOptions: textsOrNone,
      DnsSearch: textsOrNone,
      ExtraHosts: textsOrNull,
      GroupAdd: textsOrNull,
      IpcMode: textField,
      Cgroup: textField,
      Links: textsOrNull,
      OomScoreAdj: intField,
      PidMode: textField,
      Privileged: boolField,
      PublishAllPorts: boolField,
      ReadonlyRootfs: boolField,
      SecurityOpt: textsOrNull,
      StorageOpt: textMapField,
      Tmpfs: textMapField,
      UTSMode: textField,
      UsernsMode: textField,
      ShmSize: v.pipe(
        int64Field,
        v.transform((bytes) => (bytes === 0 ? SHM_SIZE_DEFAULT_BYTES : bytes)),
      ),
      Sysctls: textMapField,
      Runtime: textField,
      Isolation: textField,
      Mounts: orElse(goList(mountSchema), []),
      MaskedPaths: textsOrNull,
      ReadonlyPaths: textsOrNull,
      Init: nullableBoolField,
    },
    resourcesEntries,
  ),
);

/** The host config as inspect shows it: fields that Docker leaves out when empty are left out. Source: moby api/types/container/hostconfig.go. */
export function inspectedHostConfig(hostConfig: HostConfig): Partial<HostConfig> {
  const shown = Object.entries({ ...hostConfig, Mounts: hostConfig.Mounts.map(withoutEmpty) }).filter(
    ([key, value]) => !OMITTED_WHEN_EMPTY.has(key) || !isEmpty(value),
  );
  return Object.fromEntries(shown);
}

/** Every field of a mount is Go's `omitempty`, also within its options. */
function withoutEmpty(value: object): object {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  const kept = entries.flatMap(([key, inner]): readonly (readonly [string, unknown])[] => {
    if (inner === false || isEmpty(inner)) return [];
    const isRecord = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return [[key, isRecord ? withoutEmpty(inner) : inner]];
  });
  return Object.fromEntries(kept);
}

const OMITTED_WHEN_EMPTY: ReadonlySet<string> = new Set<keyof HostConfig>([
  'Annotations',
  'StorageOpt',
  'Tmpfs',
  'Sysctls',
  'Runtime',
  'Mounts',
  'Init',
  'KernelMemory',
  'KernelMemoryTCP',
]);

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === null || value === '' || value === 0;
}

// @__NO_SIDE_EFFECTS__
function textOr(absent: string): v.GenericSchema<unknown, string> {
  return v.pipe(
    textField,
    v.transform((text) => text || absent),
  );
}
