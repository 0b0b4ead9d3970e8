import { EngineError } from '@fairlead/protocol';
import type { HostDevices } from '../../core/ports/host-devices.ts';
import type { OciDevice } from '../../core/spec/oci.ts';
import { listDeviceNodes, readDeviceNode, type DeviceNode } from '../../host/device-nodes.ts';
import { pathExists } from '../../host/files.ts';

/** Not devices of the host but of whoever looks. Source: moby, opencontainers/runc libcontainer/devices, GetDevices. */
const SKIPPED: ReadonlySet<string> = new Set([
  '/dev/pts',
  '/dev/shm',
  '/dev/fd',
  '/dev/mqueue',
  '/dev/.lxc',
  '/dev/.lxd-mounts',
  '/dev/.udev',
  '/dev/console',
]);

/** The device nodes under the host's /dev. */
export const hostDevices: HostDevices = {
  async find({ PathOnHost: source, PathInContainer: target, CgroupPermissions }) {
    const access = CgroupPermissions || 'rwm';
    const node = await readDeviceNode(source);
    if (node !== undefined) return [{ device: ociDevice(node, target || source), access }];
    const below = await listDeviceNodes(source, SKIPPED);
    if (below.length === 0) {
      const why = (await pathExists(source)) ? 'not a device node' : 'no such file or directory';
      const words = `error gathering device information while adding custom device "${source}": ${why}`;
      throw new EngineError('internal', words);
    }
    return below.map((found) => ({ device: ociDevice(found, found.path.replace(source, target || source)), access }));
  },
  async numbers(paths) {
    const found = await Promise.all(
      paths.map(async (path) => {
        const node = await readDeviceNode(path);
        if (node !== undefined) return [path, node] as const;
        throw new EngineError('internal', `stat ${path}: no such file or directory`);
      }),
    );
    return new Map(found.map(([path, { major, minor }]) => [path, { major, minor }]));
  },
  async all() {
    const nodes = await listDeviceNodes('/dev', SKIPPED);
    return nodes.filter(({ type }) => type !== 'p').map((node) => ociDevice(node, node.path));
  },
};

function ociDevice(node: DeviceNode, path: string): OciDevice {
  return {
    type: node.type,
    path,
    major: node.major,
    minor: node.minor,
    fileMode: node.mode,
    uid: node.uid,
    gid: node.gid,
  };
}
