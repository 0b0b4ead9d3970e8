import { isEngineError, type ContainerId } from '@fairlead/protocol';
import type { Drivers } from './compose-drivers.ts';
import type { ContainerFileRouteDeps } from './api/routes/container-files.ts';
import type { ContainerRouteDeps } from './api/routes/containers.ts';
import { ENGINE_VERSION } from './config/version.ts';
import { ContainerActor, type ContainerActorDeps, type ContainerWork } from './core/container/actor.ts';
import { Attachments } from './core/container/attachments.ts';
import { ContainerDirectory } from './core/container/directory.ts';
import { FileUses } from './core/container/file-uses.ts';
import { LogLimiter } from './core/container/log-limits.ts';
import type { ContainerEvent } from './core/container/machine.ts';
import { isContainerRecord, type ContainerRecord } from './core/container/record.ts';
import { volumeUserOf } from './core/container/volume-use.ts';
import type { StatsDeps } from './core/container/stats.ts';
import { containerWork } from './core/container/work.ts';
import { isEngineEvent } from './core/events/event.ts';
import { EventFeed } from './core/events/feed.ts';
import type { ExecDeps } from './core/exec/deps.ts';
import { ExecDirectory } from './core/exec/directory.ts';
import { HealthMonitor } from './core/health/health-monitor.ts';
import { runProbe } from './core/health/probe.ts';
import type { ImageDeps } from './core/image/deps.ts';
import { ImageDirectory } from './core/image/directory.ts';
import { isImageRecord } from './core/image/record.ts';
import type { ImageUser } from './core/image/user.ts';
import { OperationLedger } from './core/operation/ledger.ts';
import { isOperation } from './core/operation/record.ts';
import { pruneIsRunning, type PruneDeps } from './core/prune/prune-deps.ts';
import type { VolumeDeps } from './core/volume/deps.ts';
import { VolumeDirectory } from './core/volume/directory.ts';
import { isVolumeRecord } from './core/volume/record.ts';
import { tarArchives } from './drivers/archive/tar-archives.ts';
import { systemClock } from './drivers/clock/system-clock.ts';
import { treeFilesystem } from './drivers/container-filesystem/tree-filesystem.ts';
import { hostDevices } from './drivers/devices/host-devices.ts';
import { hostProcessList } from './drivers/ps/process-list.ts';
import type { Log } from './lib/log.ts';
import { OneAtATime } from './lib/one-at-a-time.ts';

/** The engine itself: what the API's routes work with. */
export interface Core {
  readonly containers: ContainerRouteDeps & ContainerFileRouteDeps & StatsDeps;
  readonly images: ImageDeps;
  readonly events: EventFeed;
  readonly ledger: OperationLedger;
  readonly limiter: LogLimiter;
  readonly health: HealthMonitor;
  readonly prunes: { readonly containers: PruneDeps; readonly images: PruneDeps };
  /** Timers and watches end; containers go on running. */
  close(): void;
}

/** Puts the core together on its drivers. Nothing runs yet. */
export function composeCore(drivers: Drivers, log: Log): Core {
  const { records } = drivers;
  const clock = systemClock;
  const events = new EventFeed(records.log('events', isEngineEvent), clock, (work) => records.afterCommit(work));
  const ledger = new OperationLedger(records.log('operations', isOperation), clock, log);
  const directory = new ContainerDirectory(records.table('containers', isContainerRecord));
  const execs = new ExecDirectory(clock);
  const limiter = new LogLimiter(drivers.logs, log);
  const attachments = new Attachments(drivers.console);
  const imageDirectory = imageDirectoryOf(drivers, log, directory);
  const announce = announcer(events, log);
  const publish = publisherOf(announce);
  const volumes = volumeDepsOf(drivers, { log, containers: directory, events });
  const fileUses = new FileUses();
  const shared = { ...drivers, volumes, devices: hostDevices, clock, attachments, execs, limiter, fileUses };
  const work = containerWork({ ...shared, directory, publishEvent: announce });
  const actorDeps = actorDepsOf({ records, log, directory, events, work, collect: () => imageDirectory.collect() });
  const health = healthMonitorOf({ ...shared, directory, publish }, log);
  const images = imageDepsOf(drivers, { log, directory: imageDirectory, publish: announce });
  const containers: Core['containers'] = {
    ...shared,
    directory,
    filesystem: treeFilesystem,
    archives: tarArchives,
    imageDeps: images,
    images: imageDirectory,
    abilities: abilitiesOf(drivers),
    processes: hostProcessList,
    newActor(record) {
      const actor = new ContainerActor(record, actorDeps);
      health.follow(actor);
      // Who began to wait for the next run while it was being removed.
      actor.onRemoved(() => attachments.drop(actor.id));
      return actor;
    },
    publish,
    transaction: (work) => records.transaction(() => work(publisherOf((event) => events.publish(event)))),
  };
  const exits = tellExits(drivers, directory);
  return {
    containers,
    images,
    events,
    ledger,
    limiter,
    health,
    prunes: { containers: pruneDepsOf(announce, log), images: pruneDepsOf(announce, log) },
    close() {
      exits[Symbol.dispose]();
      health[Symbol.dispose]();
      execs.close();
      limiter.close();
      for (const actor of directory.all()) actor[Symbol.dispose]();
    },
  };
}

function publisherOf(tell: (event: Parameters<EventFeed['publish']>[0]) => void): ContainerRouteDeps['publish'] {
  return (record, action, attributes = {}) => tell(containerEvent(record, action, attributes));
}

/** Tells what has happened: an event that a full disk does not take is one for the log, and no reason to fail. */
function announcer(events: EventFeed, log: Log): (event: Parameters<EventFeed['publish']>[0]) => void {
  return (event) => {
    try {
      events.publish(event);
    } catch (error) {
      log.failure('event.not-stored', error, { type: event.type, action: event.action, actorId: event.actorId });
    }
  };
}

function imageDirectoryOf(drivers: Drivers, log: Log, containers: ContainerDirectory): ImageDirectory {
  return new ImageDirectory({
    table: drivers.records.table('images', isImageRecord),
    content: drivers.content,
    layers: drivers.layers,
    log,
    imageUsers: () => containers.all().map(imageUser),
    hasDamagedUsers: containers.hasDamaged,
  });
}

function healthMonitorOf(deps: ExecDeps, log: Log): HealthMonitor {
  return new HealthMonitor({
    clock: deps.clock,
    log,
    probe: (actor, command) => runProbe(deps, actor, command),
  });
}

function tellExits({ runtime }: Drivers, directory: ContainerDirectory): Disposable {
  const told = new DisposableStack();
  const send = async (id: ContainerId, event: ContainerEvent): Promise<void> => {
    // Refused never; a failure was reported by the actor.
    await directory
      .get(id)
      ?.send(event)
      .catch(() => {});
  };
  told.use(runtime.onOom((id) => send(id, { type: 'out-of-memory' })));
  told.use(runtime.onExit((exit) => void send(exit.id, { type: 'exited', exit })));
  return told;
}

/** How actors store, tell and report. */
function actorDepsOf(own: {
  readonly records: Drivers['records'];
  readonly log: Log;
  readonly directory: ContainerDirectory;
  readonly events: EventFeed;
  readonly work: ContainerWork;
  readonly collect: () => Promise<void>;
}): ContainerActorDeps {
  const { records, log, directory, events } = own;
  return {
    work: own.work,
    clock: systemClock,
    commit(record, announcements) {
      // On a full disk nothing new is begun; what has to be written down to end and to remove still is.
      const need = record.state.status === 'starting' ? 'ordinary' : 'urgent';
      records.transaction(() => {
        directory.save(record);
        for (const { action, attributes = {} } of announcements)
          events.publish(containerEvent(record, action, attributes));
      }, need);
    },
    forget(record) {
      records.transaction(() => {
        directory.erase(record.id);
        events.publish(containerEvent(record, 'destroy', {}));
      }, 'urgent');
      directory.forget(record);
      void own.collect();
    },
    onNotStored: (record, cause) => log.failure('container.not-stored', cause, { containerId: record.id }),
    onEffectFailed(record, { effect }, cause) {
      const fields = { containerId: record.id, effect };
      // What a request asked for and could not have is told to whoever asked, and logged with the answer.
      if (isEngineError(cause) && (effect === 'launch' || cause.kind !== 'internal'))
        log.detail('container.effect.refused', { ...fields, message: cause.message });
      else log.failure('container.effect.failed', cause, fields);
    },
  };
}

function abilitiesOf(drivers: Drivers): ContainerRouteDeps['abilities'] {
  return { runtimes: [drivers.probed.name], hasInit: drivers.initPath !== undefined };
}

function volumeDepsOf(
  { records, volumeStore }: Drivers,
  own: { readonly log: Log; readonly containers: ContainerDirectory; readonly events: EventFeed },
): VolumeDeps {
  const table = records.table('volumes', isVolumeRecord);
  return {
    directory: new VolumeDirectory(table, () => own.containers.all().map(volumeUserOf)),
    store: volumeStore,
    clock: systemClock,
    log: own.log,
    publish: (event) => own.events.publish(event),
    transaction: (work) => records.transaction(work),
  };
}

function pruneDepsOf(publishEvent: PruneDeps['publishEvent'], log: Log): PruneDeps {
  return { log, onePrune: new OneAtATime(pruneIsRunning), publishEvent };
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
