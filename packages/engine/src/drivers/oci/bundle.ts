import { dirname, join } from 'node:path';
import type { ContainerId } from '@fairlead/protocol';
import type { CreateProcess, ProcessRef } from '../../core/ports/container-runtime.ts';
import { makeDirectory, readTextIfExists, removeFile, writeFileAtomically } from '../../host/files.ts';

/** A config.json with the largest seccomp profile is some 60 KiB; mounts and environment are limited at the border. */
const CONFIG_BYTES_MAX: number = 4 * 1024 * 1024;
const MONITOR_BYTES_MAX = 256;

/** The files of one container's run. Its log is elsewhere and outlives it. */
export interface Bundle {
  readonly id: ContainerId;
  readonly directory: string;
  readonly logPath: string;
  /** conmon writes the exit code here, under a temporary name first. */
  readonly exitPath: string;
  /** conmon makes it, in its working directory, when the kernel killed for want of memory. */
  readonly oomPath: string;
  readonly runtimeLogPath: string;
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
  return {
    id,
    directory,
    logPath: places.logPath(id),
    exitPath: join(places.exitsDirectory, id),
    oomPath: join(directory, 'oom'),
    runtimeLogPath: join(directory, 'runtime.log'),
    pidPath: join(directory, 'pidfile'),
    resourcesPath: join(directory, 'resources.json'),
  };
}

/** Writes config.json and takes away what the last run left. */
export async function writeBundle(bundle: Bundle, request: CreateProcess): Promise<void> {
  await makeDirectory(bundle.directory, 0o711);
  await Promise.all([
    writeFileAtomically(configPath(bundle), JSON.stringify(request.spec), { mode: 0o600 }),
    makeDirectory(dirname(bundle.logPath), 0o711),
    ...[bundle.exitPath, bundle.oomPath, bundle.runtimeLogPath].map(removeFile),
  ]);
}

/** Takes away what belongs to the run that is over; config.json and the log stay. */
export async function clearBundle(bundle: Bundle): Promise<void> {
  const names = ['attach', 'ctl', 'winsz', 'monitor'].map((name) => join(bundle.directory, name));
  await Promise.all([...names, bundle.exitPath, bundle.oomPath, bundle.runtimeLogPath, bundle.pidPath].map(removeFile));
}

/** Remembers the monitor on disk, so that the next engine finds it even if this one dies before it saved its record. */
export async function writeMonitor(bundle: Bundle, monitor: ProcessRef): Promise<void> {
  await writeFileAtomically(join(bundle.directory, 'monitor'), `${monitor.pid} ${monitor.startTicks}\n`, {
    mode: 0o600,
  });
}

/** The monitor of the last run, which may have ended; undefined when none was remembered. */
export async function readMonitor(bundle: Bundle): Promise<ProcessRef | undefined> {
  const text = await readTextIfExists(join(bundle.directory, 'monitor'), MONITOR_BYTES_MAX);
  const [pid, startTicks] = (text ?? '').trim().split(' ').map(Number);
  if (pid === undefined || startTicks === undefined || !Number.isSafeInteger(pid + startTicks)) return undefined;
  return { pid, startTicks };
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

function configPath(bundle: Bundle): string {
  return join(bundle.directory, 'config.json');
}
