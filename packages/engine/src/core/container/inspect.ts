import {
  formatDate,
  inspectedConfig,
  inspectedHostConfig,
  type ContainerInspect,
  type ContainerRef,
} from '@fairlead/protocol';
import type { ExecDirectory } from '../exec/directory.ts';
import { commandOf } from '../spec/merge-image-config.ts';
import type { ContainerDeps } from './deps.ts';
import { shownLinks } from './links.ts';
import { inspectHealth } from './health.ts';
import { inspectedMounts } from './mount-points.ts';
import { networkSettings } from './network-settings.ts';
import { predefinedNetworks } from '../network/predefined.ts';
import { inspectState, restartCountOf } from './wire-state.ts';

/** Everything about a container, with Docker's null-or-empty conventions. @throws EngineError 'not-found'. */
export async function inspectContainer(
  deps: Pick<ContainerDeps, 'directory' | 'images' | 'files' | 'snapshots' | 'volumes' | 'network'> & {
    readonly execs: ExecDirectory;
  },
  ref: ContainerRef,
  options: { readonly size: boolean },
): Promise<ContainerInspect> {
  const { record } = deps.directory.resolve(ref);
  const { id, config, hostConfig, state } = record;
  const [path = '', ...args] = commandOf(config);
  const etc = deps.files.etcPaths(id);
  const execIds = deps.execs.pending(id);
  const sizeRw = options.size ? await deps.snapshots.usageBytes(id) : undefined;
  const imageBytes = deps.images.get(record.imageId)?.sizeBytes ?? 0;
  return {
    Id: id,
    Created: formatDate(record.createdAt),
    Path: path,
    Args: args,
    State: { ...inspectState(state), ...(record.health === undefined ? {} : { Health: inspectHealth(record.health) }) },
    Image: record.imageId,
    ResolvConfPath: etc.resolvConf,
    HostnamePath: etc.hostname,
    HostsPath: etc.hosts,
    // Docker tells that of json-file only.
    LogPath: record.hostConfig.LogConfig.Type === 'json-file' ? deps.files.logPath(id) : '',
    Name: `/${record.name}`,
    RestartCount: restartCountOf(state),
    Driver: deps.snapshots.name,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length === 0 ? null : execIds,
    HostConfig: inspectedHostConfig({ ...hostConfig, Links: shownLinks(deps, record) }),
    GraphDriver: { Name: deps.snapshots.name, Data: await deps.snapshots.describe(id) },
    ...(sizeRw === undefined ? {} : { SizeRw: sizeRw, SizeRootFs: sizeRw + imageBytes }),
    Mounts: inspectedMounts(record, (name) => deps.volumes.store.path(name)),
    Config: inspectedConfig(config),
    NetworkSettings: networkSettings(record, predefinedNetworks(deps.network)),
  };
}
