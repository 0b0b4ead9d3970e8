import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerId } from '@fairlead/protocol';
import type { EngineConfig } from './config/config.ts';
import type { EnginePaths } from './config/paths.ts';
import type { ContainerFiles } from './core/ports/container-files.ts';
import type { RecordStore } from './core/ports/record-store.ts';
import type { HostFacts } from './core/spec/host-facts.ts';
import type { OciSeccomp } from './core/spec/oci.ts';
import { parseSeccompProfile, SECCOMP_PROFILE_BYTES_MAX } from './core/spec/seccomp-profile.ts';
import { seccompTranslator } from './core/spec/seccomp.ts';
import { readCgroupLayout, type CgroupLayout } from './drivers/cgroup/cgroup-layout.ts';
import { CgroupTree } from './drivers/cgroup/cgroup-tree.ts';
import { probeRuntime, type ProbedRuntime } from './drivers/cgroup/probe-runtime.ts';
import { systemClock } from './drivers/clock/system-clock.ts';
import { MonitorConsole } from './drivers/console/monitor-console.ts';
import { MonitorLog } from './drivers/console/monitor-log.ts';
import { ContainerDirectoryFiles } from './drivers/container-files/container-files.ts';
import { FileContentStore } from './drivers/content-fs/content-store.ts';
import { readHostFacts } from './drivers/facts/read-host-facts.ts';
import { BridgeNetwork } from './drivers/net/bridge-network.ts';
import { OciRuntime } from './drivers/oci/oci-runtime.ts';
import { OverlayLayerStore } from './drivers/overlay/layer-store.ts';
import { OverlaySnapshotter } from './drivers/overlay/snapshotter.ts';
import { openRecordStore } from './drivers/sqlite/record-store.ts';
import { CgroupUsage } from './drivers/stats/cgroup-usage.ts';
import { DirectoryVolumeStore } from './drivers/volume-fs/volume-store.ts';
import { readTextIfExists, removeTree } from './host/files.ts';
import { findProgram } from './host/find-program.ts';
import { allOf } from './lib/all-of.ts';
import type { Log } from './lib/log.ts';

/** Every port made real, on one root. */
export interface Drivers extends AsyncDisposable {
  readonly records: RecordStore;
  readonly runtime: OciRuntime;
  readonly console: MonitorConsole;
  readonly logs: MonitorLog;
  readonly files: ContainerFiles;
  readonly content: FileContentStore;
  readonly layers: OverlayLayerStore;
  readonly volumeStore: DirectoryVolumeStore;
  readonly snapshots: OverlaySnapshotter;
  readonly network: BridgeNetwork;
  readonly usage: CgroupUsage;
  readonly facts: HostFacts;
  readonly probed: ProbedRuntime;
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

const NO_SECCOMP = `WARNING: No seccomp profile at ${SECCOMP_PROFILE_PATH}: containers run without a system call filter`;

interface Opening {
  readonly config: EngineConfig;
  readonly paths: EnginePaths;
  readonly log: Log;
}

/** @throws EngineError 'unavailable' when the host lacks a program or a file system, in words that say what to do. */
export async function openDrivers(opening: Opening): Promise<Drivers> {
  const { config, paths, log } = opening;
  await using undo = new AsyncDisposableStack();
  const subnet = config.bridgeSubnet === undefined ? {} : { subnet: config.bridgeSubnet };
  // They know nothing of each other, and most of them waits for the disk.
  const [host, content, storage, network] = await allOf([
    readHost(config),
    FileContentStore.open(paths.root),
    openStorage(paths, log).then((opened) => undo.use(opened)),
    BridgeNetwork.open({ root: paths.root, log, ...subnet }).then((opened) => undo.use(opened)),
  ]);
  for (const warning of host.warnings) log.warning('engine.host.lacking', { warning });
  const records = undo.use(
    openRecordStore(paths.records, (table, key, cause) => log.failure('records.corrupt', cause, { table, key })),
  );
  const files = new ContainerDirectoryFiles(paths.containers);
  const bundleDir = (id: ContainerId): string => join(paths.containers, id);
  const logPath = (id: ContainerId): string => files.logPath(id);
  const stateRoot = stateRootOf(paths.root);
  const runtime = undo.use(
    await OciRuntime.open(
      { cgroups: new CgroupTree(host.layout), log },
      { runtime: host.probed, stateRoot, bundleDirectory: bundleDir, logPath },
    ),
  );
  const owned = undo.move();
  return {
    ...host,
    ...storage,
    records,
    runtime,
    console: new MonitorConsole({ bundleDir }),
    logs: new MonitorLog({ clock: systemClock, bundleDir, logPath }),
    files,
    content,
    network,
    usage: new CgroupUsage(host.layout, systemClock),
    async tidy() {
      await network.removeAll();
      await removeTree(stateRoot);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Host = Pick<Drivers, 'facts' | 'probed' | 'initPath' | 'hasSeccomp' | 'defaultSeccomp' | 'warnings'> & {
  readonly layout: CgroupLayout;
};

/** What the host has; makes nothing. */
async function readHost(config: EngineConfig): Promise<Host> {
  const layout = await readCgroupLayout();
  const [facts, seccompText, probed, initPath] = await Promise.all([
    readHostFacts(),
    readTextIfExists(SECCOMP_PROFILE_PATH, SECCOMP_PROFILE_BYTES_MAX),
    probeRuntime(layout, config.runtime),
    // The static one: it runs in the container's root, where no library of the host is.
    findProgram('tini-static'),
  ]);
  const hasSeccomp = seccompText !== undefined;
  return {
    layout,
    facts,
    probed,
    initPath,
    hasSeccomp,
    defaultSeccomp: hasSeccomp ? seccompTranslator(parseSeccompProfile(seccompText), facts) : () => undefined,
    warnings: [...probed.warnings, ...(hasSeccomp ? [] : [NO_SECCOMP])],
  };
}

async function openStorage(
  paths: EnginePaths,
  log: Log,
): Promise<Pick<Drivers, 'layers' | 'snapshots' | 'volumeStore'> & AsyncDisposable> {
  const layers = await OverlayLayerStore.open(paths.root, log);
  const snapshots = await OverlaySnapshotter.open({ layers, containersDirectory: paths.containers });
  const volumeStore = await DirectoryVolumeStore.open(paths.volumes);
  return { layers, snapshots, volumeStore, [Symbol.asyncDispose]: () => layers[Symbol.asyncDispose]() };
}

/** One for each root, so that engines of one host keep apart. */
function stateRootOf(root: string): string {
  return join(STATE_DIRECTORY, createHash('sha256').update(root).digest('hex').slice(0, 12));
}
