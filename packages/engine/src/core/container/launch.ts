import { EngineError, isEngineError } from '@fairlead/protocol';
import type { CreatedProcess } from '../ports/container-runtime.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import { resolveNetwork } from '../network/view.ts';
import { joinedContainer, networkChoice } from '../spec/modes.ts';
import { portRequests } from '../spec/ports.ts';
import { containerSpec, type SpecDeps } from './container-spec.ts';
import type { ContainerDeps } from './deps.ts';
import { joinedOf } from './joined.ts';
import { tellWhoLinks } from './links.ts';
import type { ContainerRecord } from './record.ts';
import { mountVolumes, unmountVolumes } from './volume-use.ts';

/** What one launch works with. */
export type LaunchDeps = SpecDeps &
  Pick<ContainerDeps, 'directory' | 'runtime' | 'snapshots' | 'attachments' | 'volumes'>;

/**
 * Makes a container's process and lets it run: root filesystem, files, specification, process, network, attachers, go.
 * What was done is undone when a later step fails.
 *
 * @throws EngineError in Docker's words; `details.exitCode` is what inspect shows.
 */
export async function launchContainer(
  deps: LaunchDeps,
  record: ContainerRecord,
): Promise<{ readonly created: CreatedProcess; readonly endpoint: NetworkEndpoint | null }> {
  const { id, config, hostConfig } = record;
  const joined = joinedOf(deps, record);
  requireNetwork(deps, hostConfig.NetworkMode);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => deps.snapshots.unmount(id));
  const rootPath = await deps.snapshots.mount(id);
  undo.defer(() => unmountVolumes(deps.volumes, record));
  await mountVolumes(deps.volumes, record);
  const isBridged = networkChoice(config, hostConfig) === 'bridge';
  if (isBridged) undo.defer(() => deps.network.release(id));
  const endpoint = isBridged ? await reserveEndpoint(deps, record) : null;
  undo.defer(() => deps.files.unmountShm(id));
  const spec = await containerSpec(deps, record, { rootPath, endpoint, joined });
  undo.defer(() => deps.runtime.delete(id));
  const { Tty: tty, OpenStdin: openStdin, StdinOnce: stdinOnce } = config;
  // A terminal has no end of input: whoever leaves one, StdinOnce or not, leaves it as it is. Source: engine-api 6.
  const created = await deps.runtime.create({
    ...{ id, spec, tty, openStdin, stdinOnce: stdinOnce && !tty },
    logged: hostConfig.LogConfig.Type !== 'none',
  });
  await Promise.all([
    endpoint === null ? undefined : deps.network.connect({ id, pid: created.process.pid }, endpoint),
    deps.attachments.connectAll(id),
  ]);
  if (endpoint !== null) await tellWhoLinks(deps, id, endpoint.ipAddress);
  await deps.runtime.start(id);
  undo.move();
  return { created, endpoint };
}

/** A create takes the name of any network. @throws EngineError 'not-found' `network x not found`. */
function requireNetwork(deps: Pick<ContainerDeps, 'network'>, mode: string): void {
  if (joinedContainer(mode) === undefined) resolveNetwork(deps, mode === 'default' ? 'bridge' : mode);
}

/** An address, and the ports that the container is to have on the host. @throws EngineError in Docker's words. */
async function reserveEndpoint(
  { network }: Pick<ContainerDeps, 'network'>,
  { id, name, config, hostConfig }: ContainerRecord,
): Promise<NetworkEndpoint> {
  const { endpointId } = network.reserve(id, config.MacAddress);
  try {
    return await network.publish(id, portRequests(config, hostConfig));
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    const where = `driver failed programming external connectivity on endpoint ${name} (${endpointId})`;
    throw new EngineError('internal', `failed to set up container networking: ${where}: ${cause.message}`, { cause });
  }
}
