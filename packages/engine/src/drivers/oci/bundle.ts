import { dirname, join } from 'node:path';
import type { ContainerId } from '@fairlead/protocol';
import type { CreateProcess, ProcessRef } from '../../core/ports/container-runtime.ts';
import { existsAtOnce } from '../../host/at-once.ts';
import {
  makeDirectory,
  pathExists,
  readTextIfExists,
  removeFiles,
  writeFileAtomically,
  writePlainFile,
} from '../../host/files.ts';

/** A config.json with the largest seccomp profile is some 60 KiB; mounts and environment are limited at the border. */
const CONFIG_BYTES_MAX: number = 4 * 1024 * 1024;
const MONITOR_BYTES_MAX = 256;
/** Of the exit file's name. */
export const OOM_SUFFIX = '.oom';

/** The files of one container's run. Its log is elsewhere and outlives it. */
export interface Bundle {
  readonly id: ContainerId;
  readonly directory: string;
  readonly logPath: string;
  /** The monitor writes the exit code here, under a temporary name first. */
  readonly exitPath: string;
  /** The monitor makes it when the kernel killed for want of memory. */
  readonly oomPath: string;
  readonly pidPath: string;
  /** What is to be changed of a running container's limits, while the runtime reads it. */
  readonly resourcesPath: string;
}

export interface BundlePlaces {
  readonly exitsDirectory: string;
  readonly bundleDirectory: (id: ContainerId) => string;
  readonly logPath: (id: ContainerId) => string;
}

/** Where everything of a container is. Pure. */
export function bundleOf(places: BundlePlaces, id: ContainerId): Bundle {
  const directory = places.bundleDirectory(id);
  const exitPath = join(places.exitsDirectory, id);
  return {
    id,
    directory,
    logPath: places.logPath(id),
    exitPath,
    oomPath: `${exitPath}${OOM_SUFFIX}`,
    pidPath: join(directory, 'pidfile'),
    resourcesPath: join(directory, 'resources.json'),
  };
}

/** Written before there is a monitor, so that an engine that dies in between leaves a trace of it. */
const MONITOR_UNKNOWN = 'starting\n';

/** Writes config.json and takes away what the last run left. */
export async function writeBundle(bundle: Bundle, request: CreateProcess): Promise<void> {
  for (const directory of new Set([bundle.directory, dirname(bundle.logPath)])) {
    if (!existsAtOnce(directory)) await makeDirectory(directory, 0o711);
  }
  await Promise.all([
    writeFileAtomically(configPath(bundle), JSON.stringify(request.spec), { mode: 0o600 }),
    writePlainFile(monitorPath(bundle), MONITOR_UNKNOWN, 0o600),
    removeFiles([bundle.exitPath, bundle.oomPath]),
  ]);
}

/** Takes away what belongs to the run that is over; config.json and the log stay. */
export async function clearBundle(bundle: Bundle): Promise<void> {
  const names = ['attach', 'watch', 'ctl', 'console', 'monitor'].map((name) => join(bundle.directory, name));
  await removeFiles([...names, bundle.exitPath, freshExitPath(bundle), bundle.oomPath, bundle.pidPath]);
}

/**
 * Remembers the monitor on disk, so that the next engine finds it even if this one dies before it saved its record. Half
 * written, it counts as {@link MONITOR_UNKNOWN}.
 */
export async function writeMonitor(bundle: Bundle, monitor: ProcessRef): Promise<void> {
  await writePlainFile(monitorPath(bundle), `${monitor.pid} ${monitor.startTicks}\n`, 0o600);
}

/** The monitor of the last run, which may have ended; undefined when none was remembered. */
export async function readMonitor(bundle: Bundle): Promise<ProcessRef | undefined> {
  const text = await readTextIfExists(monitorPath(bundle), MONITOR_BYTES_MAX);
  const [, pid, startTicks] = /^(\d+) (\d+)\n$/.exec(text ?? '') ?? [];
  return pid === undefined || startTicks === undefined
    ? undefined
    : { pid: Number(pid), startTicks: Number(startTicks) };
}

/** Whether a run was begun whose end nobody has written down yet: it may still run, or be half made. */
export async function isUnfinished(bundle: Bundle): Promise<boolean> {
  return (await pathExists(monitorPath(bundle))) && !(await pathExists(bundle.exitPath));
}

/** `linux.cgroupsPath` of the last run's config.json; undefined when there is none. */
export async function readCgroupsPath(bundle: Bundle): Promise<string | undefined> {
  const text = await readTextIfExists(configPath(bundle), CONFIG_BYTES_MAX);
  if (text === undefined) return undefined;
  const spec: unknown = JSON.parse(text);
  if (typeof spec !== 'object' || spec === null || !('linux' in spec)) return undefined;
  const { linux } = spec;
  if (typeof linux !== 'object' || linux === null || !('cgroupsPath' in linux)) return undefined;
  return typeof linux.cgroupsPath === 'string' ? linux.cgroupsPath : undefined;
}

/** Where a monitor that was killed in the middle left a half-written exit file. */
function freshExitPath({ exitPath, id }: Bundle): string {
  return join(dirname(exitPath), `.${id}.new`);
}

function monitorPath(bundle: Bundle): string {
  return join(bundle.directory, 'monitor');
}

function configPath(bundle: Bundle): string {
  return join(bundle.directory, 'config.json');
}
