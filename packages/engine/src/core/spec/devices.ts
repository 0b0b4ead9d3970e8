import { EngineError, type DeviceMapping } from '@fairlead/protocol';
import type { OciDevice, OciDeviceCgroup } from './oci.ts';

/** A device of HostConfig.Devices as found on the host; a mapped directory gives several. */
export interface MappedDevice {
  /** `path` is the one in the container. */
  readonly device: OciDevice;
  /** Of `r`, `w`, `m`. */
  readonly access: string;
}

/**
 * Which devices a container may use; the runtime makes and allows the usual ones (null, zero, tty, …) by itself.
 * Source: moby oci/defaults.go.
 */
export const DEFAULT_DEVICE_RULES: readonly OciDeviceCgroup[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
];

const ALL_DEVICES: readonly OciDeviceCgroup[] = [{ allow: true, access: 'rwm' }];

/** Empty means all three. Source: docker CLI opts, `rwm` as default. */
export function accessOf(mapping: DeviceMapping): string {
  return mapping.CgroupPermissions || 'rwm';
}

/** @throws EngineError 'invalid-argument' for permissions other than letters of `rwm`. */
export function checkDeviceMappings(mappings: readonly DeviceMapping[]): void {
  for (const mapping of mappings) {
    if (/^[rwm]{1,3}$/.test(accessOf(mapping))) continue;
    throw new EngineError('invalid-argument', `invalid device mode: ${mapping.CgroupPermissions}`);
  }
}

/**
 * Reads a rule such as `c 42:* rmw`.
 *
 * @throws EngineError 'invalid-argument' `invalid device cgroup rule format: '…'`. Source: moby daemon/pkg/oci/oci.go.
 */
export function parseDeviceRule(text: string): OciDeviceCgroup {
  const [, type, major = '', minor = '', access] = /^([acb]) (\d{1,9}|\*):(\d{1,9}|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if ((type !== 'a' && type !== 'b' && type !== 'c') || access === undefined) {
    throw new EngineError('invalid-argument', `invalid device cgroup rule format: '${text}'`);
  }
  return {
    allow: true,
    type,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}

/** The devices of a container that are not the usual ones. */
export interface DeviceRequest {
  readonly privileged: boolean;
  readonly mapped: readonly MappedDevice[];
  /** HostConfig.DeviceCgroupRules, checked before. */
  readonly rules: readonly string[];
  /** Every device of the host: what a privileged container gets. */
  readonly hostDevices: readonly OciDevice[];
}

/** The device nodes to make and the rules about them; a privileged container gets every node and no rule. */
export function ociDevices(request: DeviceRequest): {
  readonly nodes: readonly OciDevice[];
  readonly rules: readonly OciDeviceCgroup[];
} {
  const mapped = request.mapped.map((entry) => entry.device);
  if (request.privileged) {
    const paths = new Set(request.hostDevices.map((device) => device.path));
    return {
      nodes: [...request.hostDevices, ...mapped.filter((device) => !paths.has(device.path))],
      rules: ALL_DEVICES,
    };
  }
  const allowed = request.mapped.map(({ device, access }): OciDeviceCgroup => ({
    allow: true,
    ...(device.type === 'b' || device.type === 'c' ? { type: device.type } : {}),
    ...(device.major === undefined ? {} : { major: device.major }),
    ...(device.minor === undefined ? {} : { minor: device.minor }),
    access,
  }));
  return { nodes: mapped, rules: [...DEFAULT_DEVICE_RULES, ...allowed, ...request.rules.map(parseDeviceRule)] };
}
