import type { ContainerLog } from '../ports/container-log.ts';
import type { NetworkDriver } from '../ports/network-driver.ts';
import type { ExecDirectory } from '../exec/directory.ts';
import type { EngineEvent } from '../events/event.ts';
import { predefinedNetworks } from '../network/predefined.ts';
import { networkChoice } from '../spec/modes.ts';
import { allOf } from '../../lib/all-of.ts';
import type { ContainerWork } from './actor.ts';
import type { LogLimiter } from './log-limits.ts';
import type { FileUses } from './file-uses.ts';
import { launchContainer, type LaunchDeps } from './launch.ts';
import type { ContainerRecord } from './record.ts';
import { removeAnonymousVolumes, unmountVolumes } from './volume-use.ts';

export interface WorkDeps extends LaunchDeps {
  readonly execs: ExecDirectory;
  readonly logs: ContainerLog;
  readonly limiter: LogLimiter;
  readonly fileUses: FileUses;
  readonly publishEvent: (event: Omit<EngineEvent, 'timeNanos'>) => void;
}

/** What actors do to the outside world, through the ports. */
export function containerWork(deps: WorkDeps): ContainerWork {
  const announce = (record: ContainerRecord, action: 'connect' | 'disconnect'): void => {
    const event = networkEvent(deps.network, record, action);
    if (event !== undefined) deps.publishEvent(event);
  };
  return {
    async launch(record) {
      if (record.state.status === 'starting' && record.state.last !== null) await deps.logs.seal(record.id);
      const launched = await launchContainer(deps, record);
      deps.limiter.begin(record);
      announce(record, 'connect');
      return launched;
    },
    async sendSignal(created, signal) {
      // A process that is gone already needs no signal: its exit is on the way here.
      await deps.runtime.signal(created.process, signal);
    },
    freeze: (id) => deps.runtime.pause(id),
    thaw: (id) => deps.runtime.resume(id),
    async cleanUpRun(record) {
      const { id, state } = record;
      deps.execs.containerStopped(id);
      deps.limiter.end(id);
      // No clean-up is left out because of another.
      await allOf([deps.runtime.delete(id), deps.network.release(id), deps.snapshots.unmount(id)]);
      await deps.files.unmountShm(id);
      await unmountVolumes(deps.volumes, record);
      if (state.status !== 'running') announce(record, 'disconnect');
    },
    async removeRemains(record) {
      const { id, state } = record;
      deps.attachments.drop(id);
      deps.execs.containerRemoved(id);
      await allOf([deps.runtime.delete(id), deps.network.release(id), deps.fileUses.end(id)]);
      await deps.snapshots.remove(id);
      await deps.logs.remove(id);
      await deps.files.remove(id);
      if (state.status === 'removing' && state.volumes === true) await removeAnonymousVolumes(deps.volumes, record);
    },
  };
}

/** Undefined for a container in another's network: it is on none of its own. */
function networkEvent(
  network: NetworkDriver,
  { id, config, hostConfig }: ContainerRecord,
  action: 'connect' | 'disconnect',
): Omit<EngineEvent, 'timeNanos'> | undefined {
  const choice = networkChoice(config, hostConfig);
  if (choice === 'container') return undefined;
  const { name, id: actorId, driver } = predefinedNetworks(network)[choice];
  return { type: 'network', action, actorId, attributes: { container: id, name, type: driver } };
}
