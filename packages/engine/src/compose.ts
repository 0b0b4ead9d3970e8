import { EngineError } from '@fairlead/protocol';
import { formatListenAddress, parseListenAddress } from './api/listen-address.ts';
import { containerFileRoutes } from './api/routes/container-files.ts';
import { containerRoutes } from './api/routes/containers.ts';
import { execRoutes } from './api/routes/exec.ts';
import { imageRoutes } from './api/routes/images.ts';
import { diskUsageRoute } from './api/routes/disk-usage.ts';
import { operationRoutes } from './api/routes/operations.ts';
import { pruneRoutes } from './api/routes/prune.ts';
import { resourceRoutes } from './api/routes/resources.ts';
import { networkRoutes } from './api/routes/networks.ts';
import { systemRoutes } from './api/routes/system.ts';
import { volumeRoutes } from './api/routes/volumes.ts';
import { createApi } from './api/server.ts';
import { checkConfig, type EngineConfig } from './config/config.ts';
import { enginePaths, type EnginePaths } from './config/paths.ts';
import { ENGINE_VERSION } from './config/version.ts';
import { composeCore, type Core } from './compose-core.ts';
import { openDrivers, type Drivers } from './compose-drivers.ts';
import { KILL_CONFIRM_MS } from './core/container/stop.ts';
import { restoreContainers } from './core/container/restore.ts';
import { volumesUsage } from './core/volume/usage.ts';
import { restoreImages } from './core/image/restore.ts';
import type { SystemCounts, SystemFacts } from './core/system/system-facts.ts';
import { newEngineId, readProgramFacts, readSystemFacts } from './drivers/facts/read-system-facts.ts';
import { diskFailure } from './host/disk-failure.ts';
import { reportFaultPlan } from './host/fault-points.ts';
import { lockFile, makeDirectory } from './host/files.ts';
import { containerKeeperPath } from './host/native-programs.ts';
import { countDescriptors } from './host/proc.ts';
import { bindSocket, claimSocketPath, shareSocket } from './host/socket-path.ts';
import { readPeerCredentials } from './host/sockets.ts';
import { createPinoLog } from './drivers/log/pino-log.ts';
import { connectionPair } from './lib/connection-pair.ts';
import type { Log } from './lib/log.ts';
import type { Duplex } from 'node:stream';

/**
 * A container engine on one root directory. Disposing it closes connections at once; containers go on running, and when
 * none does, nothing of the engine is left but its root.
 */
export interface Engine extends AsyncDisposable {
  /**
   * Serves the API at `unix:///PATH` or `tcp://ADDRESS:PORT`; resolves with the address when it accepts connections.
   * @throws EngineError 'invalid-argument' for a malformed address, 'conflict' when it is taken.
   */
  listen(host: string): Promise<string>;
  /**
   * A connection to the API without a socket, to speak HTTP on: `connect({ engine })` of `@fairlead/client` uses it. `end()` on it is a
   * half-close. Its requests are in the ledger with the address `in-process`.
   * @throws the signal's reason.
   */
  dial(signal: AbortSignal): Promise<Duplex>;
  /** Stops accepting, ends streams, lets answers under way finish for `withinMs` milliseconds. Containers go on running. */
  drain(withinMs: number): Promise<void>;
}

/** Opens engines. */
export const Engine: {
  /**
   * Opens an engine: takes the lock on its root, and brings its records into agreement with the kernel.
   *
   * @throws EngineError 'invalid-argument' for a root that cannot be, 'conflict' when another engine runs on it,
   *   'unavailable' when the host lacks something.
   */
  open(config: EngineConfig): Promise<Engine>;
} = {
  async open(config) {
    try {
      return await openEngine(checkConfig(config));
    } catch (cause) {
      throw diskFailure(cause, (why) => `cannot use ${config.root} as the engine's root: ${why}`);
    }
  },
};

async function openEngine(config: EngineConfig): Promise<Engine> {
  await using undo = new AsyncDisposableStack();
  const log = createPinoLog(config.logLevel ?? 'info');
  reportFaultPlan(log);
  const paths = enginePaths(config.root);
  await makeDirectory(paths.root, 0o711);
  undo.use(await lockRoot(paths));
  const drivers = undo.use(await openDrivers({ config, paths, log }));
  const core = composeCore(drivers, log);
  undo.defer(() => core.close());
  await restore(core, log);
  core.ledger.markInterrupted();
  const api = undo.use(
    createApi({
      routes: routesOf(core, drivers, paths),
      operations: core.ledger,
      log,
      engineVersion: ENGINE_VERSION,
      peerOf: readPeerCredentials,
      socketPaths: { claim: claimSocketPath, bind: bindSocket, share: shareSocket },
    }),
  );
  log.event('engine.opened', {
    root: paths.root,
    runtime: drivers.runtime.name,
    containers: core.containers.directory.all().length,
  });
  const owned = undo.move();
  const tidy = async (): Promise<void> => {
    const isUp = core.containers.directory.all().some(({ state }) => UP.has(state.status));
    if (!isUp) await drivers.tidy().catch((error: unknown) => log.failure('engine.tidy.failed', error));
  };
  return {
    listen: async (host) => formatListenAddress(await api.listen(parseListenAddress(host))),
    dial: async (signal) => {
      signal.throwIfAborted();
      const [ours, theirs] = connectionPair();
      api.serve(theirs, 'in-process');
      return ours;
    },
    drain: (withinMs) => api.close(withinMs),
    async [Symbol.asyncDispose]() {
      await api.close(0);
      await tidy();
      await owned.disposeAsync();
    },
  };
}

/** Brings records and kernel into agreement. */
async function restore(core: Core, log: Log): Promise<void> {
  // Containers may be started below, on layers that a power cut took; nothing aborts the start of an engine.
  await restoreImages(core.images, new AbortController().signal);
  await restoreContainers({
    ...core.containers,
    limiter: core.limiter,
    resumed: (actor) => core.health.resume(actor),
    log,
  });
  // Only now is it known what every container holds. Nobody waits for what is deleted, and it never throws.
  void core.images.directory.collect();
}

/** While a container is in one of these the engine leaves the host as it is. */
const UP: ReadonlySet<string> = new Set(['starting', 'running', 'restarting']);

async function lockRoot(paths: EnginePaths): Promise<AsyncDisposable> {
  const lock = await lockFile(paths.lock);
  if (lock !== undefined) return lock;
  throw new EngineError('conflict', `another engine is running on ${paths.root}: stop it first, or use another root`);
}

function routesOf(core: Core, drivers: Drivers, paths: EnginePaths): Parameters<typeof createApi>[0]['routes'] {
  return [
    ...containerRoutes(core.containers),
    ...containerFileRoutes(core.containers),
    ...execRoutes(core.containers),
    ...imageRoutes(core.images),
    ...volumeRoutes(core.containers.volumes),
    ...networkRoutes({ ...core.containers, createdAt: networksCreatedAt(drivers) }),
    ...resourceRoutes(core.containers),
    ...pruneRoutes({
      containers: { ...core.containers, ...core.prunes.containers },
      images: { ...core.images, ...core.prunes.images },
    }),
    diskUsageRoute({
      containers: core.containers,
      images: core.images,
      volumes: () => volumesUsage(core.containers.volumes),
    }),
    ...systemRoutes({
      facts: once(() => systemFacts(drivers, paths)),
      counts: () => countsOf(core),
      events: core.events,
    }),
    ...operationRoutes({ ledger: core.ledger, containerIdOf: (ref) => core.containers.directory.resolve(ref).id }),
  ];
}

/** Programs are asked for their versions in it: that is not to hold up the first answer. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** The predefined networks are as old as the root. */
function networksCreatedAt(drivers: Drivers): Date {
  return new Date(madeOnce(drivers, 'networks-created-at', () => new Date().toISOString()));
}

async function systemFacts(drivers: Drivers, paths: EnginePaths): Promise<SystemFacts> {
  const [host, runtime, init] = await Promise.all([
    readSystemFacts(),
    readProgramFacts({ name: drivers.probed.name, path: drivers.probed.path }),
    drivers.initPath === undefined ? undefined : readProgramFacts({ name: 'tini', path: drivers.initPath }),
  ]);
  return {
    ...host,
    engineId: madeOnce(drivers, 'engine-id', newEngineId),
    engineVersion: ENGINE_VERSION,
    gitCommit: '',
    buildTime: '',
    host: drivers.facts,
    rootDir: paths.root,
    storageDriver: drivers.snapshots.name,
    storageStatus: [],
    cgroupDriver: 'cgroupfs',
    runtimes: [runtime],
    monitor: { name: 'container-keeper', path: containerKeeperPath(), version: ENGINE_VERSION },
    init,
    seccomp: drivers.hasSeccomp,
    killConfirmMs: KILL_CONFIRM_MS,
    warnings: drivers.warnings,
  };
}

/** A setting that is made once per root. */
function madeOnce({ records }: Drivers, key: string, make: () => string): string {
  const settings = records.table('settings', (document): document is string => typeof document === 'string');
  const known = settings.get(key);
  if (known !== undefined) return known;
  const made = make();
  settings.put(key, made);
  return made;
}

function countsOf(core: Core): SystemCounts {
  const states = core.containers.directory.all().map(({ state }) => state);
  const running = states.filter(({ status }) => status === 'running' || status === 'restarting').length;
  const paused = states.filter((state) => state.status === 'running' && state.paused).length;
  return {
    running: running - paused,
    paused,
    stopped: states.length - running,
    images: core.images.directory.all().length,
    eventListeners: core.events.listeners,
    descriptors: countDescriptors(),
    now: new Date(),
  };
}
