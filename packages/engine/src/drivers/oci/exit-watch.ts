import { isContainerId, type ContainerId } from '@fairlead/protocol';
import type { CreatedProcess, ProcessExit } from '../../core/ports/container-runtime.ts';
import { existsAtOnce, modifiedAtOnce, readTextAtOnce, removeAtOnce } from '../../host/at-once.ts';
import { watchDirectory } from '../../host/files.ts';
import { onProcessEnd } from '../../host/proc.ts';
import type { Log } from '../../lib/log.ts';
import { OOM_SUFFIX, type Bundle } from './bundle.ts';

/** What Docker records when nobody collected the code. */
export const EXIT_CODE_UNKNOWN = 255;

export interface ExitWatchDeps {
  readonly exitsDirectory: string;
  /** Kills a container whose monitor is gone; resolves when its first process has ended. */
  readonly endOrphan: (bundle: Bundle, created: CreatedProcess) => Promise<void>;
  readonly log: Log;
}

interface Watched {
  readonly bundle: Bundle;
  readonly created: CreatedProcess;
  readonly monitorWatch: Disposable;
  /** That it was out of memory is being told, and its exit need not say it again. */
  tellsOom: boolean;
}

/**
 * Tells when watched containers end, once each, and when the kernel kills in them for want of memory.
 *
 * The code comes from the file that the monitor writes; one directory watch serves all containers. When the monitor itself is
 * killed, nobody will ever collect the code and the container's output goes nowhere: the container is killed too, and
 * its end is told with code 255 and an error.
 */
export class ExitWatch implements Disposable {
  readonly #deps: ExitWatchDeps;
  readonly #watched = new Map<ContainerId, Watched>();
  readonly #listeners = new Set<(exit: ProcessExit) => void>();
  readonly #oomListeners = new Set<(id: ContainerId) => Promise<void>>();
  readonly #directory: Disposable;

  constructor(deps: ExitWatchDeps) {
    this.#deps = deps;
    this.#directory = watchDirectory(
      deps.exitsDirectory,
      (name) => {
        if (isContainerId(name)) this.#look(name);
        else if (name.endsWith(OOM_SUFFIX)) this.#lookForOom(name.slice(0, -OOM_SUFFIX.length));
      },
      (error) => deps.log.failure('runtime.exit-watch.failed', error, { directory: deps.exitsDirectory }),
    );
  }

  onExit(listener: (exit: ProcessExit) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Called once for each time that it was seen; what it returns is awaited before it may be told again. */
  onOom(listener: (id: ContainerId) => Promise<void>): Disposable {
    this.#oomListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#oomListeners.delete(listener) };
  }

  /** Watches a container from now on. An exit file that is there already is told, too. */
  watch(bundle: Bundle, created: CreatedProcess): void {
    this.forget(bundle.id);
    const monitorWatch = onProcessEnd(created.monitor, () => {
      this.#monitorEnded(bundle.id).catch((error: unknown) => this.#failed(bundle.id, error));
    });
    this.#watched.set(bundle.id, { bundle, created, monitorWatch, tellsOom: false });
  }

  /** Watches no longer: nothing more is told about this run. */
  forget(id: ContainerId): void {
    this.#watched.get(id)?.monitorWatch[Symbol.dispose]();
    this.#watched.delete(id);
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
    for (const id of [...this.#watched.keys()]) this.forget(id);
  }

  #look(id: ContainerId): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    try {
      this.#collect(watched);
    } catch (error) {
      this.#failed(id, error);
    }
  }

  #collect(watched: Watched): void {
    const exit = readExit(watched.bundle);
    if (exit !== undefined) this.#tell(watched, exit);
  }

  #tell(watched: Watched, exit: ProcessExit): void {
    // Several looks may be under way; a forgotten or newer run is not this one's to tell.
    if (this.#watched.get(exit.id) !== watched) return;
    this.forget(exit.id);
    const told = watched.tellsOom ? { ...exit, oomKilled: false } : exit;
    for (const listener of this.#listeners) listener(told);
  }

  #lookForOom(id: string): void {
    const watched = isContainerId(id) ? this.#watched.get(id) : undefined;
    // Who is not listening learns it from the exit.
    if (watched === undefined || watched.tellsOom || this.#oomListeners.size === 0) return;
    try {
      if (!existsAtOnce(watched.bundle.oomPath)) return;
      this.#tellOom(watched).catch((error: unknown) => this.#failed(watched.bundle.id, error));
    } catch (error) {
      this.#deps.log.failure('runtime.oom.unreadable', error);
    }
  }

  /** The file stays until it was told: an engine that dies before finds it there with the exit. */
  async #tellOom(watched: Watched): Promise<void> {
    watched.tellsOom = true;
    try {
      await Promise.all([...this.#oomListeners].map((listener) => listener(watched.bundle.id)));
      if (this.#watched.get(watched.bundle.id) === watched) removeAtOnce(watched.bundle.oomPath);
    } finally {
      watched.tellsOom = false;
    }
  }

  /** The monitor writes the exit file before it ends, so after its end there is the file, or there never will be. */
  async #monitorEnded(id: ContainerId): Promise<void> {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#collect(watched);
    if (this.#watched.get(id) !== watched) return;
    this.#deps.log.warning('runtime.monitor.lost', { containerId: id, monitorPid: watched.created.monitor.pid });
    await this.#deps.endOrphan(watched.bundle, watched.created);
    const error =
      'the container monitor ended before the container did: the container was killed, its exit code is unknown';
    this.#tell(watched, { id, exitCode: EXIT_CODE_UNKNOWN, oomKilled: false, at: new Date(), error });
  }

  #failed(id: ContainerId, error: unknown): void {
    this.#deps.log.failure('runtime.exit.unreadable', error, { containerId: id });
  }
}

/** The exit that the monitor wrote down for a bundle's run; undefined when it did not. Costs some 20 µs, without a thread. */
export function readExit(bundle: Bundle): ProcessExit | undefined {
  const text = readTextAtOnce(bundle.exitPath);
  if (text === undefined || text === '') return undefined;
  const code = Number(text.trim());
  const exitCode = Number.isInteger(code) && code >= 0 && code <= 255 ? code : EXIT_CODE_UNKNOWN;
  const at = modifiedAtOnce(bundle.exitPath) ?? new Date();
  return { id: bundle.id, exitCode, oomKilled: existsAtOnce(bundle.oomPath), at };
}
