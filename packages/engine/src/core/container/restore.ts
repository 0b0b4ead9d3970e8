import type { ContainerId } from '@fairlead/protocol';
import type { Log } from '../../lib/log.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import { restoreVolumes, unmountUnneeded } from '../volume/restore.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import type { LogLimiter } from './log-limits.ts';
import type { ContainerRecord } from './record.ts';
import { restartWithEngine } from './restart-with-engine.ts';

/** Docker's exit code for a process whose end nobody saw. */
const EXIT_CODE_UNKNOWN = 255;
const LOST = 'the container and its monitor ended while no engine was running: its exit code is unknown';

export type RestoreDeps = Pick<
  ContainerDeps,
  'directory' | 'runtime' | 'network' | 'snapshots' | 'volumes' | 'files' | 'clock' | 'newActor'
> & {
  readonly log: Log;
  readonly limiter: LogLimiter;
  /** Goes on with what belongs to a run under way. */
  readonly resumed: (actor: ContainerActor) => void;
};

/**
 * Brings records and kernel into agreement after a start of the engine, however the last one ended.
 *
 * What runs goes on running; what exited meanwhile gets its exit code; what was half-done is undone or finished; files
 * that belong to no record go; what its restart policy wants to run is started.
 */
export async function restoreContainers(deps: RestoreDeps): Promise<void> {
  const actors = deps.directory.stored().flatMap((record) => adopt(deps, record) ?? []);
  await deps.network.restore(endpointsOf(actors));
  await restoreVolumes(deps.volumes, (id) => deps.directory.isStored(id));
  await Promise.all(actors.map((actor) => restoreOne(deps, actor)));
  await unmountUnneeded(deps.volumes);
  await removeOrphans(deps);
  for (const actor of actors) restartWithEngine(deps, actor);
}

function adopt(deps: RestoreDeps, record: ContainerRecord): ContainerActor | undefined {
  try {
    deps.directory.reserveName(record.name, record.id);
  } catch (error) {
    deps.log.failure('container.restore.refused', error, { containerId: record.id });
    return undefined;
  }
  const actor = deps.newActor(record);
  deps.directory.add(actor);
  return actor;
}

function endpointsOf(actors: readonly ContainerActor[]): ReadonlyMap<ContainerId, NetworkEndpoint> {
  const endpoints = new Map<ContainerId, NetworkEndpoint>();
  for (const { id, state } of actors) {
    if (state.status === 'running' && state.endpoint !== null) endpoints.set(id, state.endpoint);
  }
  return endpoints;
}

async function restoreOne(deps: RestoreDeps, actor: ContainerActor): Promise<void> {
  try {
    await agreeWithKernel(deps, actor);
  } catch (error) {
    deps.log.failure('container.restore.failed', error, { containerId: actor.id });
  }
}

async function agreeWithKernel(deps: RestoreDeps, actor: ContainerActor): Promise<void> {
  const { state, id } = actor;
  switch (state.status) {
    case 'running': {
      const fate = await deps.runtime.fate(id, state.created);
      if (fate.fate === 'running') {
        deps.limiter.begin(actor.record);
        deps.resumed(actor);
        return actor.resume();
      }
      deps.log.event('container.restore.exited', { containerId: id, fate: fate.fate });
      const exit =
        fate.fate === 'exited'
          ? fate.exit
          : { id, exitCode: EXIT_CODE_UNKNOWN, oomKilled: false, at: deps.clock.now(), error: LOST };
      await actor.send({ type: 'exited', exit });
      return;
    }
    case 'starting':
      await cleanUp(deps, id);
      deps.log.event('container.restore.start-interrupted', { containerId: id });
      await actor.send({
        type: 'launch-failed',
        failure: { exitCode: 128, message: 'the engine ended while the container was being started' },
      });
      return;
    case 'restarting':
    case 'removing':
      await cleanUp(deps, id);
      return actor.resume();
    case 'created':
    case 'exited':
    case 'dead':
      return await cleanUp(deps, id);
    default:
      return state satisfies never;
  }
}

/** The clean-up after a run, once more: the last engine may have died before it or in the middle of it. */
async function cleanUp(deps: RestoreDeps, id: ContainerId): Promise<void> {
  await Promise.all([deps.runtime.delete(id), deps.snapshots.unmount(id), deps.files.unmountShm(id)]);
}

async function removeOrphans(deps: RestoreDeps): Promise<void> {
  const present = new Set([...(await deps.snapshots.list()), ...(await deps.files.list())]);
  for (const id of present) {
    if (deps.directory.get(id) !== undefined || deps.directory.isStored(id)) continue;
    deps.log.event('container.restore.orphan-removed', { containerId: id });
    await deps.runtime.delete(id);
    await deps.snapshots.remove(id);
    await deps.files.remove(id);
  }
}
