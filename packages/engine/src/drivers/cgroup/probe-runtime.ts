import { EngineError } from '@fairlead/protocol';
import { findProgram } from '../../host/find-program.ts';
import { readTextIfExists } from '../../host/files.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

/** cgroup.controllers is one line of a dozen words, /proc/self/cgroup a dozen lines of paths. */
const CONTROLLERS_BYTES_MAX = 4096;
const GROUPS_BYTES_MAX: number = 128 * 1024;
/** The only place where crun looks for the cgroup v2 part of a mixed host. Source: crun src/libcrun/cgroup.c, libcrun_cgroup_enter. */
const CRUN_UNIFIED_ROOT = '/sys/fs/cgroup/unified';

/** The OCI runtime to use on this host. */
export interface ProbedRuntime {
  readonly path: string;
  readonly name: string;
  /** What a person should know about the choice, for `/info` and the log. */
  readonly warnings: readonly string[];
}

/**
 * Chooses crun, or runc where crun would refuse this host, or litter it. Reads two files and runs nothing.
 *
 * crun 1.8 refuses a host that has cgroup v1 and a cgroup v2 mount that still offers controllers. Where a cgroup v1 hierarchy is in use
 * and not mounted, it makes plain directories and files in its place, which nobody ever removes.
 * @param asked a program's name or path from the configuration; it is taken as it is.
 * @throws EngineError 'unavailable' when there is no runtime, or not the one that was asked for.
 */
export async function probeRuntime(layout: CgroupLayout, asked?: string): Promise<ProbedRuntime> {
  if (asked !== undefined) return await found(asked, []);
  const crun = await findProgram('crun');
  const reason = crun === undefined ? 'crun is not installed' : await whyNotCrun(layout);
  if (crun !== undefined && reason === undefined) return { path: crun, name: 'crun', warnings: [] };
  return await found('runc', [`WARNING: ${reason}; using runc, which is slower`]);
}

/**
 * Controllers of cgroup v1 hierarchies that are in use and mounted nowhere.
 * @param groups the text of /proc/self/cgroup
 */
export function unmountedControllers(layout: CgroupLayout, groups: string): readonly string[] {
  const inUse = [...groups.matchAll(/^[1-9]\d*:([^:]+):/gm)].flatMap(([, names = '']) => names.split(','));
  return inUse.filter((name) => !name.startsWith('name=') && !layout.legacy.has(name));
}

async function whyNotCrun(layout: CgroupLayout): Promise<string | undefined> {
  if (layout.legacy.size === 0) return undefined;
  const leftOver = await leftOverControllers(layout);
  if (leftOver !== '') {
    return `crun does not run here: ${CRUN_UNIFIED_ROOT} still has the controllers ${leftOver} (mount them as cgroup v1, or use cgroup v2 alone)`;
  }
  const groups = (await readTextIfExists('/proc/self/cgroup', GROUPS_BYTES_MAX)) ?? '';
  const unmounted = unmountedControllers(layout, groups);
  if (unmounted.length === 0) return undefined;
  return `crun does not run here: the cgroup v1 controllers ${unmounted.join(' ')} are in use and not mounted (mount them)`;
}

async function found(name: string, warnings: readonly string[]): Promise<ProbedRuntime> {
  const path = await findProgram(name);
  if (path === undefined) {
    throw new EngineError('unavailable', [`OCI runtime ${name} is not installed`, ...warnings].join('; '));
  }
  return { path, name, warnings };
}

async function leftOverControllers(layout: CgroupLayout): Promise<string> {
  if (layout.unified !== CRUN_UNIFIED_ROOT) return '';
  return ((await readTextIfExists(`${CRUN_UNIFIED_ROOT}/cgroup.controllers`, CONTROLLERS_BYTES_MAX)) ?? '').trim();
}
