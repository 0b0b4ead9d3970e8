import { join } from 'node:path';
import { EngineError, type ExecId } from '@fairlead/protocol';
import type { OciProcess } from '../../core/spec/oci.ts';
import {
  listDirectory,
  makeDirectory,
  readTextIfExists,
  removeFile,
  watchDirectory,
  writeFileAtomically,
} from '../../host/files.ts';
import type { Log } from '../../lib/log.ts';

const PID_BYTES_MAX = 16;
const REPORT_BYTES_MAX: number = 64 * 1024;

/** Where the files of one exec are, while it runs. */
export interface ExecPaths {
  readonly process: string;
  readonly log: string;
  readonly pid: string;
  /** Short: runc does not take a socket path of more than 107 bytes. */
  readonly consoleSocket: string;
}

/**
 * The files by which the runtime is told about an exec and tells about it.
 *
 * The runtime writes the pid file when the program is in place, so its appearance is the moment of the start. One
 * directory watch serves all execs.
 */
export class ExecFiles implements Disposable {
  readonly #directory: string;
  readonly #pids: string;
  readonly #waiting = new Map<string, (pid: number) => void>();
  readonly #watch: Disposable;
  readonly #log: Log;

  /** Use {@link ExecFiles.open}. */
  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#pids = join(directory, 'pids');
    this.#log = log;
    this.#watch = watchDirectory(
      this.#pids,
      (name) => void this.#look(name).catch((error: unknown) => this.#failed(error)),
      (error) => this.#failed(error),
    );
  }

  /** Makes the directories; files of execs that an earlier engine started are removed. */
  static async open(directory: string, log: Log): Promise<ExecFiles> {
    await makeDirectory(join(directory, 'pids'), 0o700);
    for (const place of [directory, join(directory, 'pids')]) {
      const stale = (await listDirectory(place)).filter((name) => name !== 'pids');
      await Promise.all(stale.map((name) => removeFile(join(place, name))));
    }
    return new ExecFiles(directory, log);
  }

  pathsOf(execId: ExecId): ExecPaths {
    return {
      process: join(this.#directory, `${execId}.json`),
      log: join(this.#directory, `${execId}.log`),
      pid: join(this.#pids, execId),
      consoleSocket: join(this.#directory, `${execId.slice(0, 16)}.sock`),
    };
  }

  /** Writes the process document and calls `onPid` once, if and when the runtime has written the pid. */
  async prepare(execId: ExecId, process: OciProcess, onPid: (pid: number) => void): Promise<ExecPaths> {
    const paths = this.pathsOf(execId);
    await writeFileAtomically(paths.process, JSON.stringify(process), { mode: 0o600 });
    this.#waiting.set(execId, onPid);
    return paths;
  }

  /** The pid that the runtime wrote; undefined while, or because, it did not start the program. */
  async pidOf(execId: ExecId): Promise<number | undefined> {
    const text = (await readTextIfExists(this.pathsOf(execId).pid, PID_BYTES_MAX))?.trim();
    if (text === undefined || text === '') return undefined;
    const pid = Number(text);
    if (!Number.isSafeInteger(pid) || pid <= 0)
      throw new EngineError('internal', `the runtime wrote a pid file with ${text}`);
    return pid;
  }

  /** What the runtime wrote to its log. */
  async reportOf(execId: ExecId): Promise<string> {
    return (await readTextIfExists(this.pathsOf(execId).log, REPORT_BYTES_MAX)) ?? '';
  }

  async remove(execId: ExecId): Promise<void> {
    this.#waiting.delete(execId);
    const { process, log, pid } = this.pathsOf(execId);
    await Promise.all([process, log, pid].map(removeFile));
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  async #look(name: string): Promise<void> {
    if (!this.#waiting.has(name)) return;
    const text = (await readTextIfExists(join(this.#pids, name), PID_BYTES_MAX))?.trim() ?? '';
    // crun writes the file in two steps: made, then filled. The second one is told, too.
    const onPid = this.#waiting.get(name);
    if (!/^[1-9]\d*$/.test(text) || onPid === undefined) return;
    this.#waiting.delete(name);
    onPid(Number(text));
  }

  #failed(error: unknown): void {
    this.#log.failure('runtime.exec-watch.failed', error, { directory: this.#pids });
  }
}
