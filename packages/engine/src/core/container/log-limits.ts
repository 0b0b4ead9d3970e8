import type { ContainerId } from '@fairlead/protocol';
import type { Log } from '../../lib/log.ts';
import type { ContainerLog, LogLimits } from '../ports/container-log.ts';
import { logRotation } from '../spec/log-options.ts';
import type { ContainerRecord } from './record.ts';

/** Keeps the logs of running containers within `max-size` and `max-file`. */
export class LogLimiter {
  readonly #logs: ContainerLog;
  readonly #report: Log;
  readonly #limited = new Map<ContainerId, Disposable>();

  constructor(logs: ContainerLog, report: Log) {
    this.#logs = logs;
    this.#report = report;
  }

  /** Begins with a run; without limits nothing happens. */
  begin(record: ContainerRecord): void {
    const limits = logLimitsOf(record);
    if (limits === undefined) return;
    this.end(record.id);
    const watching = this.#logs.limit(record.id, limits, (error) => {
      this.#report.failure('container.log.rotate-failed', error, { containerId: record.id });
    });
    this.#limited.set(record.id, watching);
  }

  /** Idempotent. */
  end(id: ContainerId): void {
    this.#limited.get(id)?.[Symbol.dispose]();
    this.#limited.delete(id);
  }

  close(): void {
    for (const id of [...this.#limited.keys()]) this.end(id);
  }
}

/** Undefined without a `max-size`: the log grows without limit, as in Docker. */
export function logLimitsOf(record: ContainerRecord): LogLimits | undefined {
  if (record.hostConfig.LogConfig.Type === 'none') return undefined;
  const { maxBytes, maxFiles } = logRotation(record.hostConfig.LogConfig);
  return maxBytes === undefined ? undefined : { fileBytesMax: maxBytes, filesMax: maxFiles };
}
