import type { CreatedProcess } from '../ports/container-runtime.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import { networkChoice } from '../spec/modes.ts';
import { containerSpec, type SpecDeps } from './container-spec.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerRecord } from './record.ts';
import { mountVolumes, unmountVolumes } from './volume-use.ts';

/** What one launch works with. */
export type LaunchDeps = SpecDeps & Pick<ContainerDeps, 'runtime' | 'snapshots' | 'attachments' | 'volumes'>;

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
  await using undo = new AsyncDisposableStack();
  undo.defer(() => deps.snapshots.unmount(id));
  const rootPath = await deps.snapshots.mount(id);
  undo.defer(() => unmountVolumes(deps.volumes, record));
  await mountVolumes(deps.volumes, record);
  const endpoint = networkChoice(config, hostConfig) === 'bridge' ? deps.network.reserve(id) : null;
  if (endpoint !== null) undo.defer(() => deps.network.release(id));
  const spec = await containerSpec(deps, record, { rootPath, endpoint });
  undo.defer(() => deps.runtime.delete(id));
  const { Tty: tty, OpenStdin: openStdin, StdinOnce: stdinOnce } = config;
  // A terminal has no end of input: whoever leaves one, StdinOnce or not, leaves it as it is. Source: engine-api 6.
  const created = await deps.runtime.create({ id, spec, tty, openStdin, stdinOnce: stdinOnce && !tty });
  await Promise.all([
    endpoint === null ? undefined : deps.network.connect({ id, pid: created.process.pid }, endpoint),
    deps.attachments.connectAll(id),
  ]);
  await deps.runtime.start(id);
  undo.move();
  return { created, endpoint };
}
