import type { HostConfig } from '@fairlead/protocol';
import type { NetworkChoice } from './modes.ts';
import type { OciNamespace } from './oci.ts';

/** New namespaces for everything that is not shared with the host. Source: moby daemon/oci_linux.go, WithNamespaces. */
export function ociNamespaces(hostConfig: HostConfig, network: NetworkChoice): readonly OciNamespace[] {
  return [
    { type: 'mount' },
    ...(network === 'host' ? [] : [{ type: 'network' } as const]),
    ...(hostConfig.UTSMode === 'host' ? [] : [{ type: 'uts' } as const]),
    ...(hostConfig.PidMode === 'host' ? [] : [{ type: 'pid' } as const]),
    ...(hostConfig.IpcMode === 'host' ? [] : [{ type: 'ipc' } as const]),
    ...(hostConfig.CgroupnsMode === 'private' ? [{ type: 'cgroup' } as const] : []),
  ];
}
