import { EngineError } from '@fairlead/protocol';
import { findProgram } from '../../host/find-program.ts';
import { readTextIfExists } from '../../host/files.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

/** cgroup.controllers is one line of a dozen words. */
const CONTROLLERS_BYTES_MAX = 4096;
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
 * Chooses crun, or runc where crun would refuse this host. Reads one file and runs nothing.
 *
 * crun 1.8 refuses a host that has cgroup v1 and a cgroup v2 mount that still offers controllers.
 * @param asked a program's name or path from the configuration; it is taken as it is.
 * @throws EngineError 'unavailable' when there is no runtime, or not the one that was asked for.
 */
export async function probeRuntime(layout: CgroupLayout, asked?: string): Promise<ProbedRuntime> {
  if (asked !== undefined) return await found(asked, []);
  const leftOver = await leftOverControllers(layout);
  const crun = await findProgram('crun');
  if (crun !== undefined && leftOver === '') return { path: crun, name: 'crun', warnings: [] };
  const reason =
    crun === undefined
      ? 'crun is not installed'
      : `crun does not run here: ${CRUN_UNIFIED_ROOT} still has the controllers ${leftOver} (mount them as cgroup v1, or use cgroup v2 alone)`;
  return await found('runc', [`WARNING: ${reason}; using runc, which is slower`]);
}

async function found(name: string, warnings: readonly string[]): Promise<ProbedRuntime> {
  const path = await findProgram(name);
  if (path === undefined) {
    throw new EngineError('unavailable', [`OCI runtime ${name} is not installed`, ...warnings].join('; '));
  }
  return { path, name, warnings };
}

async function leftOverControllers(layout: CgroupLayout): Promise<string> {
  if (layout.legacy.size === 0 || layout.unified !== CRUN_UNIFIED_ROOT) return '';
  return ((await readTextIfExists(`${CRUN_UNIFIED_ROOT}/cgroup.controllers`, CONTROLLERS_BYTES_MAX)) ?? '').trim();
}
