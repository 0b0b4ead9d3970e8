import { join } from 'node:path';

/** Where everything of an engine is, below its root. */
export interface EnginePaths {
  readonly root: string;
  /** Held while an engine runs on this root. */
  readonly lock: string;
  readonly records: string;
  /** A directory for each container: writable layer, log, bundle, the files mounted over its own. */
  readonly containers: string;
  /** A directory for each volume, its content in `_data`. */
  readonly volumes: string;
}

/** Pure; makes nothing. */
export function enginePaths(root: string): EnginePaths {
  return {
    root,
    lock: join(root, 'lock'),
    records: join(root, 'records.db'),
    containers: join(root, 'containers'),
    volumes: join(root, 'volumes'),
  };
}
