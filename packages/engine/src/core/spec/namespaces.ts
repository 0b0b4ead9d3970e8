import type { HostConfig } from '@fairlead/protocol';
import type { NetworkChoice } from './modes.ts';
import type { OciNamespace } from './oci.ts';

/** Namespaces of other containers that are shared, as files of /proc. */
export interface NamespacePaths {
  readonly network?: string;
  readonly pid?: string;
  readonly ipc?: string;
}

/**
 * New namespaces for everything that is shared neither with the host nor with another container.
 * Source: moby daemon/oci_linux.go, WithNamespaces.
 */
export function ociNamespaces(
  hostConfig: HostConfig,
  network: NetworkChoice,
  joined: NamespacePaths,
): readonly OciNamespace[] {
  return [
    { type: 'mount' },
    ...(network === 'host' ? [] : [namespace('network', joined.network)]),
    ...(hostConfig.UTSMode === 'host' ? [] : [{ type: 'uts' } as const]),
    ...(hostConfig.PidMode === 'host' ? [] : [namespace('pid', joined.pid)]),
    ...(hostConfig.IpcMode === 'host' ? [] : [namespace('ipc', joined.ipc)]),
    ...(hostConfig.CgroupnsMode === 'private' ? [{ type: 'cgroup' } as const] : []),
  ];
}

function namespace(type: OciNamespace['type'], path: string | undefined): OciNamespace {
  return path === undefined ? { type } : { type, path };
}
