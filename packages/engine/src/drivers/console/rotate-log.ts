import { basename, dirname } from 'node:path';
import type { Clock } from '../../core/ports/clock.ts';
import type { LogLimits } from '../../core/ports/container-log.ts';
import { movePath, pathExists, removeFile, watchDirectory } from '../../host/files.ts';
import { fileSizeBytes } from '../../host/readable-file.ts';
import { logFileName } from './log-files.ts';
import { sendReopenLog } from './monitor-control.ts';

/** How often a log that is being written is measured. */
const MEASURE_MS = 100;

export interface RotateDeps {
  readonly path: string;
  /** Where the monitor's control FIFO is. */
  readonly bundleDir: string;
}

/**
 * Rotates a log that is too large: path.1 becomes path.2, …, path becomes path.1, and the monitor begins a new file.
 *
 * Nothing is lost: the monitor writes on into the renamed file until it changes over. After a crash in between the next
 * call carries on: a log without a current file is one whose monitor has not changed over yet.
 * @returns whether it was too large.
 */
export async function rotateLog(deps: RotateDeps, limits: LogLimits): Promise<boolean> {
  const { path, bundleDir } = deps;
  if ((await fileSizeBytes(path)) <= limits.fileBytesMax) {
    if (!(await pathExists(path)) && (await pathExists(logFileName(path, 1)))) await sendReopenLog(bundleDir);
    return false;
  }
  // With a single file there is nothing to rename: the monitor's new file takes the name, and the old one is gone.
  if (limits.filesMax > 1) {
    await removeFile(logFileName(path, limits.filesMax - 1));
    for (let index = limits.filesMax - 2; index >= 0; index--) {
      if (await pathExists(logFileName(path, index))) {
        await movePath(logFileName(path, index), logFileName(path, index + 1));
      }
    }
  }
  await sendReopenLog(bundleDir);
  return true;
}

export interface LimitLogDeps extends RotateDeps {
  readonly clock: Clock;
}

/** Measures a log whenever it was written, at most every {@link MEASURE_MS}, and rotates it. Until disposed. */
export function limitLog(deps: LimitLogDeps, limits: LogLimits, onFailed: (error: unknown) => void): Disposable {
  let next: Disposable | undefined;
  let disposed = false;
  const measure = async (): Promise<void> => {
    try {
      await rotateLog(deps, limits);
    } catch (error) {
      onFailed(error);
    }
    next = undefined;
  };
  const name = basename(deps.path);
  const watch = watchDirectory(
    dirname(deps.path),
    (changed) => {
      if (changed === name && !disposed) next ??= deps.clock.after(MEASURE_MS, () => void measure());
    },
    onFailed,
  );
  return {
    [Symbol.dispose]() {
      disposed = true;
      watch[Symbol.dispose]();
      next?.[Symbol.dispose]();
    },
  };
}
