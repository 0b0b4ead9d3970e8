import { EngineError } from '@fairlead/protocol';
import { parseIdList } from './host-facts.ts';

/** No machine has more CPUs or memory nodes; a list beyond is refused before it is counted. Source: Linux, NR_CPUS_RANGE_END. */
const ID_MAX = 8192;

/**
 * Checks a list of CPUs or memory nodes (`0-2,4`) against what is online.
 *
 * @throws EngineError 'invalid-argument' `Requested CPUs are not available - requested 0-99, available: 0-1`, or
 *   `Invalid value x for cpuset cpus: …`. Source: moby v28 daemon/daemon_unix.go.
 */
export function checkCpuSet(kind: 'cpus' | 'mems', requested: string, available: string): void {
  if (requested === '') return;
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(requested)) {
    throw new EngineError(
      'invalid-argument',
      `Invalid value ${requested} for cpuset ${kind}: invalid format: ${requested}`,
    );
  }
  const online = new Set(parseIdList(available));
  const ids = parseIdList(requested);
  if (ids.some((id) => id >= ID_MAX)) {
    throw new EngineError(
      'invalid-argument',
      `Invalid value ${requested} for cpuset ${kind}: value of out range, maximum is ${ID_MAX - 1}`,
    );
  }
  if (ids.length > 0 && ids.every((id) => online.has(id))) return;
  const what = kind === 'cpus' ? 'CPUs' : 'memory nodes';
  throw new EngineError(
    'invalid-argument',
    `Requested ${what} are not available - requested ${requested}, available: ${available}`,
  );
}
