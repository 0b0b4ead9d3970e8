import {
  controllerFiles,
  hostFactsFrom,
  PROBED_PATHS,
  thermalPaths,
  type HostFacts,
} from '../../core/spec/host-facts.ts';
import { pathExists, readTextIfExists } from '../../host/files.ts';

/** These files of the kernel are a few kilobytes. Our own figure. */
const FACT_BYTES_MAX = 4 * 1024 * 1024;

/** Reads what specs depend on from this host. @throws errno errors other than "no such file". */
export async function readHostFacts(): Promise<HostFacts> {
  const read = async (path: string): Promise<string> => (await readTextIfExists(path, FACT_BYTES_MAX)) ?? '';
  const [osRelease, selfStatus, memInfo, cpuOnline, nodeOnline, mounts, unifiedControllers] = await Promise.all([
    read('/proc/sys/kernel/osrelease'),
    read('/proc/self/status'),
    read('/proc/meminfo'),
    read('/sys/devices/system/cpu/online'),
    read('/sys/devices/system/node/online'),
    read('/proc/self/mounts'),
    read('/sys/fs/cgroup/cgroup.controllers'),
  ]);
  const probed = [...Object.values(PROBED_PATHS), ...thermalPaths(cpuOnline), ...controllerFiles(mounts)];
  const present = await Promise.all(probed.map(async (path) => ((await pathExists(path)) ? [path] : [])));
  return hostFactsFrom({
    nodeArchitecture: process.arch,
    osRelease,
    selfStatus,
    memInfo,
    cpuOnline,
    nodeOnline,
    mounts,
    unifiedControllers,
    existing: new Set(present.flat()),
  });
}
