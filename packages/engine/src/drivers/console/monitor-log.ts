import { basename, dirname, join } from 'node:path';
import type { ContainerId } from '@fairlead/protocol';
import type { Clock } from '../../core/ports/clock.ts';
import type { ContainerLog, LogLimits, LogQuery, LogRecord } from '../../core/ports/container-log.ts';
import { listDirectory, removeFiles } from '../../host/files.ts';
import { appendText } from '../../host/readable-file.ts';
import { isLogFileName, openLogFiles } from './log-files.ts';
import { endOfRunLine } from './log-line.ts';
import { hasUnfinishedLine } from './log-tail.ts';
import { readLog } from './read-log.ts';
import { limitLog } from './rotate-log.ts';

export interface MonitorLogDeps {
  readonly clock: Clock;
  /** The file the monitor writes, in a directory that exists. Not a symbolic link. */
  readonly logPath: (id: ContainerId) => string;
  /** The directory the monitor was started on. */
  readonly bundleDir: (id: ContainerId) => string;
}

/** Logs written by monitors in the CRI's format. */
export class MonitorLog implements ContainerLog {
  readonly #deps: MonitorLogDeps;

  constructor(deps: MonitorLogDeps) {
    this.#deps = deps;
  }

  read(id: ContainerId, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord> {
    return readLog({ clock: this.#deps.clock, path: this.#deps.logPath(id) }, query, signal);
  }

  async seal(id: ContainerId): Promise<void> {
    const path = this.#deps.logPath(id);
    const files = await openLogFiles(path);
    try {
      // The newline first: a full disk may have cut the last line off.
      if (await hasUnfinishedLine(files)) await appendText(path, `\n${endOfRunLine(this.#deps.clock.now())}`);
    } finally {
      for (const file of files) await file[Symbol.asyncDispose]();
    }
  }

  limit(id: ContainerId, limits: LogLimits, onFailed: (error: unknown) => void): Disposable {
    const { clock, logPath, bundleDir } = this.#deps;
    return limitLog({ clock, path: logPath(id), bundleDir: bundleDir(id) }, limits, onFailed);
  }

  async remove(id: ContainerId): Promise<void> {
    const path = this.#deps.logPath(id);
    const names = (await listDirectory(dirname(path))).filter((name) => isLogFileName(basename(path), name));
    await removeFiles(names.map((name) => join(dirname(path), name)));
  }
}
