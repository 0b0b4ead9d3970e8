import { isEngineError } from '@fairlead/protocol';
import type { Drivers } from './compose-drivers.ts';
import type { ContainerRouteDeps } from './api/routes/containers.ts';
import { ENGINE_VERSION } from './config/version.ts';
import { ContainerActor, type ContainerActorDeps, type ContainerWork } from './core/container/actor.ts';
import { Attachments } from './core/container/attachments.ts';
import { ContainerDirectory } from './core/container/directory.ts';
import { LogLimiter } from './core/container/log-limits.ts';
import { isContainerRecord, type ContainerRecord } from './core/container/record.ts';
import { containerWork } from './core/container/work.ts';
import { isEngineEvent } from './core/events/event.ts';
import { EventFeed } from './core/events/feed.ts';
import { ExecDirectory } from './core/exec/directory.ts';
import type { ImageDeps } from './core/image/deps.ts';
import { ImageDirectory } from './core/image/directory.ts';
import { isImageRecord } from './core/image/record.ts';
import type { ImageUser } from './core/image/user.ts';
import { OperationLedger } from './core/operation/ledger.ts';
import { isOperation } from './core/operation/record.ts';
import { tarArchives } from './drivers/archive/tar-archives.ts';
import { systemClock } from './drivers/clock/system-clock.ts';
import { hostDevices } from './drivers/devices/host-devices.ts';
import { hostProcessList } from './drivers/ps/process-list.ts';
import type { Log } from './lib/log.ts';

/** The engine itself: what the API's routes work with. */
export interface Core {
  readonly containers: ContainerRouteDeps;
  readonly images: ImageDeps;
  readonly events: EventFeed;
  readonly ledger: OperationLedger;
  readonly limiter: LogLimiter;
  /** Timers and watches end; containers go on running. */
  close(): void;
}

/** Puts the core together on its drivers. Nothing runs yet. */
export function composeCore(drivers: Drivers, log: Log): Core {
  const { records } = drivers;
  const clock = systemClock;
  const events = new EventFeed(records.log('events', isEngineEvent), clock);
  const ledger = new OperationLedger(records.log('operations', isOperation), clock, log);
  const directory = new ContainerDirectory(records.table('containers', isContainerRecord));
  const execs = new ExecDirectory(clock);
  const limiter = new LogLimiter(drivers.logs, log);
  const attachments = new Attachments(drivers.console);
  const imageDirectory = new ImageDirectory({
    table: records.table('images', isImageRecord),
    content: drivers.content,
    layers: drivers.layers,
    log,
    imageUsers: () => directory.all().map(imageUser),
  });
  const publish: ContainerRouteDeps['publish'] = (record, action, attributes = {}) => {
    events.publish(containerEvent(record, action, attributes));
  };
  const shared = { ...drivers, devices: hostDevices, clock, attachments, execs, limiter };
  const work = containerWork({ ...shared, publishEvent: (event) => events.publish(event) });
  const actorDeps = actorDepsOf({ records, log, directory, publish, work, collect: () => imageDirectory.collect() });
  const containers: ContainerRouteDeps = {
    ...shared,
    directory,
    images: imageDirectory,
    abilities: abilitiesOf(drivers),
    processes: hostProcessList,
    newActor: (record) => new ContainerActor(record, actorDeps),
    publish,
  };
  const exits = drivers.runtime.onExit((exit) => {
    // Refused never; a failure was reported by the actor.
    directory
      .get(exit.id)
      ?.send({ type: 'exited', exit })
      .catch(() => {});
  });
  return {
    containers,
    images: imageDepsOf(drivers, { log, directory: imageDirectory, publish: (event) => events.publish(event) }),
    events,
    ledger,
    limiter,
    close() {
      exits[Symbol.dispose]();
      execs.close();
      limiter.close();
      for (const actor of directory.all()) actor[Symbol.dispose]();
    },
  };
}

/** How actors store, tell and report. */
function actorDepsOf(own: {
  readonly records: Drivers['records'];
  readonly log: Log;
  readonly directory: ContainerDirectory;
  readonly publish: ContainerRouteDeps['publish'];
  readonly work: ContainerWork;
  readonly collect: () => Promise<void>;
}): ContainerActorDeps {
  const { records, log, directory, publish } = own;
  return {
    work: own.work,
    clock: systemClock,
    commit(record, announcements) {
      records.transaction(() => {
        directory.save(record);
        for (const { action, attributes } of announcements) publish(record, action, attributes);
      });
    },
    forget(record) {
      records.transaction(() => {
        directory.forget(record);
        publish(record, 'destroy');
      });
      void own.collect();
    },
    onEffectFailed(record, { effect }, cause) {
      const fields = { containerId: record.id, effect };
      // What a request asked for and could not have is told to whoever asked, and logged with the answer.
      if (effect === 'launch' && isEngineError(cause))
        log.detail('container.launch.failed', { ...fields, message: cause.message });
      else log.failure('container.effect.failed', cause, fields);
    },
  };
}

function abilitiesOf(drivers: Drivers): ContainerRouteDeps['abilities'] {
  return { runtimes: [drivers.probed.name], logDrivers: ['json-file'], hasInit: drivers.initPath !== undefined };
}

function imageDepsOf(drivers: Drivers, own: Pick<ImageDeps, 'log' | 'directory' | 'publish'>): ImageDeps {
  return {
    ...own,
    content: drivers.content,
    layers: drivers.layers,
    archives: tarArchives,
    clock: systemClock,
    platform: { os: 'linux', architecture: drivers.facts.architecture, variant: '' },
    engineVersion: ENGINE_VERSION,
  };
}

/** Attributes of every container event: its labels, its image as given, its name. Source: engine-api 8.2. */
function containerEvent(
  { id, name, config }: ContainerRecord,
  action: string,
  attributes: Readonly<Record<string, string>>,
): Parameters<EventFeed['publish']>[0] {
  return {
    type: 'container',
    action,
    actorId: id,
    attributes: { ...config.Labels, image: config.Image, name, ...attributes },
  };
}

function imageUser({ id, record, state }: ContainerActor): ImageUser {
  return {
    containerId: id,
    running: state.status === 'running' || state.status === 'starting' || state.status === 'restarting',
    imageId: record.imageId,
    layerIds: record.layerIds,
  };
}
