import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { EngineError, type ContainerId } from '@fairlead/protocol';
import type { EngineConfig } from './config/config.ts';
import type { EnginePaths } from './config/paths.ts';
import type { ContainerFiles } from './core/ports/container-files.ts';
import type { RecordStore } from './core/ports/record-store.ts';
import type { HostFacts } from './core/spec/host-facts.ts';
import type { OciSeccomp } from './core/spec/oci.ts';
import { parseSeccompProfile, SECCOMP_PROFILE_BYTES_MAX } from './core/spec/seccomp-profile.ts';
import { seccompTranslator } from './core/spec/seccomp.ts';
import { readCgroupLayout } from './drivers/cgroup/cgroup-layout.ts';
import { CgroupTree } from './drivers/cgroup/cgroup-tree.ts';
import { probeRuntime, type ProbedRuntime } from './drivers/cgroup/probe-runtime.ts';
import { systemClock } from './drivers/clock/system-clock.ts';
import { ConmonConsole } from './drivers/console/conmon-console.ts';
import { ConmonLog } from './drivers/console/conmon-log.ts';
import { ContainerDirectoryFiles } from './drivers/container-files/container-files.ts';
import { FileContentStore } from './drivers/content-fs/content-store.ts';
import { readHostFacts } from './drivers/facts/read-host-facts.ts';
import { BridgeNetwork } from './drivers/net/bridge-network.ts';
import { OciRuntime } from './drivers/oci/oci-runtime.ts';
import { OverlayLayerStore } from './drivers/overlay/layer-store.ts';
import { OverlaySnapshotter } from './drivers/overlay/snapshotter.ts';
import { openRecordStore } from './drivers/sqlite/record-store.ts';
import { readTextIfExists, removeTree } from './host/files.ts';
import { findProgram } from './host/find-program.ts';
import type { Log } from './lib/log.ts';

/** Every port made real, on one root. */
export interface Drivers extends AsyncDisposable {
  readonly records: RecordStore;
  readonly runtime: OciRuntime;
  readonly console: ConmonConsole;
  readonly logs: ConmonLog;
  readonly files: ContainerFiles;
  readonly content: FileContentStore;
  readonly layers: OverlayLayerStore;
  readonly snapshots: OverlaySnapshotter;
  readonly network: BridgeNetwork;
  readonly facts: HostFacts;
  readonly probed: ProbedRuntime;
  readonly monitorPath: string;
  /** The program of HostConfig.Init. */
  readonly initPath: string | undefined;
  readonly hasSeccomp: boolean;
  readonly defaultSeccomp: (capabilities: readonly string[]) => OciSeccomp | undefined;
  /** What is worse on this host than it should be, one sentence each. */
  readonly warnings: readonly string[];
  /** Takes away what lies outside the root and only running containers need: the bridge and its rules, the state directory. */
  tidy(): Promise<void>;
}

/** Debian's golang-github-containers-common installs it. */
const SECCOMP_PROFILE_PATH = '/usr/share/containers/seccomp.json';
/** For what need not survive a reboot; short, because unix socket paths are. */
const STATE_DIRECTORY = '/run/fairlead';

interface Opening {
  readonly config: EngineConfig;
  readonly paths: EnginePaths;
  readonly log: Log;
}

/** @throws EngineError 'unavailable' when the host lacks a program or a file system, in words that say what to do. */
export async function openDrivers(opening: Opening): Promise<Drivers> {
  const { config, paths, log } = opening;
  await using undo = new AsyncDisposableStack();
  const bundleDirectory = (id: ContainerId): string => join(paths.containers, id);
  const files = new ContainerDirectoryFiles(paths.containers);
  const logPath = (id: ContainerId): string => files.logPath(id);
  const layout = await readCgroupLayout();
  const [facts, seccompText, probed, monitorPath, initPath, content, network, storage] = await Promise.all([
    readHostFacts(),
    readTextIfExists(SECCOMP_PROFILE_PATH, SECCOMP_PROFILE_BYTES_MAX),
    probeRuntime(layout, config.runtime),
    requiredProgram('conmon'),
    // The static one: it runs in the container's root, where no library of the host is.
    findProgram('tini-static'),
    FileContentStore.open(paths.root),
    BridgeNetwork.open({
      root: paths.root,
      ...(config.bridgeSubnet === undefined ? {} : { subnet: config.bridgeSubnet }),
    }).then((opened) => undo.use(opened)),
    openStorage(paths, log).then((opened) => undo.use(opened)),
  ]);
  const records = undo.use(
    openRecordStore(paths.records, (table, key, cause) => log.failure('records.corrupt', cause, { table, key })),
  );
  const stateRoot = stateRootOf(paths.root);
  const runtime = undo.use(
    await OciRuntime.open(
      { cgroups: new CgroupTree(layout), log },
      { runtime: probed, monitorPath, stateRoot, bundleDirectory, logPath },
    ),
  );
  const clock = systemClock;
  const warnings = [...probed.warnings, ...(seccompText === undefined ? [noSeccomp()] : [])];
  for (const warning of warnings) log.warning('engine.host.lacking', { warning });
  const owned = undo.move();
  return {
    records,
    runtime,
    console: new ConmonConsole({
      clock,
      bundleDir: bundleDirectory,
      onProcessEnd: (id, callback) => runtime.onProcessEnd(id, callback),
    }),
    logs: new ConmonLog({ clock, bundleDir: bundleDirectory, logPath }),
    files,
    content,
    layers: storage.layers,
    snapshots: storage.snapshots,
    network,
    facts,
    probed,
    monitorPath,
    initPath,
    hasSeccomp: seccompText !== undefined,
    defaultSeccomp:
      seccompText === undefined ? () => undefined : seccompTranslator(parseSeccompProfile(seccompText), facts),
    warnings,
    async tidy() {
      await network.removeAll();
      await removeTree(stateRoot);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openStorage(
  paths: EnginePaths,
  log: Log,
): Promise<{ readonly layers: OverlayLayerStore; readonly snapshots: OverlaySnapshotter } & AsyncDisposable> {
  const layers = await OverlayLayerStore.open(paths.root, log);
  const snapshots = await OverlaySnapshotter.open({ layers, containersDirectory: paths.containers });
  return { layers, snapshots, [Symbol.asyncDispose]: () => layers[Symbol.asyncDispose]() };
}

async function requiredProgram(name: string): Promise<string> {
  const path = await findProgram(name);
  if (path !== undefined) return path;
  throw new EngineError('unavailable', `${name} is not installed`);
}

/** One for each root, so that engines of one host keep apart. */
function stateRootOf(root: string): string {
  return join(STATE_DIRECTORY, createHash('sha256').update(root).digest('hex').slice(0, 12));
}

function noSeccomp(): string {
  return `WARNING: No seccomp profile at ${SECCOMP_PROFILE_PATH}: containers run without a system call filter`;
}
