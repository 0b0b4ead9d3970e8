import { EngineError, type ContainerId } from '@fairlead/protocol';

/** Work on a container's files that is under way, until it is disposed. */
export interface FileUse extends Disposable {
  /** Aborts when the container is being removed: the files are about to go. */
  readonly signal: AbortSignal;
}

/** Who is working on the files of which container: a removal ends that first, so that nobody takes half of them for the whole. */
export class FileUses {
  readonly #uses = new Map<ContainerId, Set<Use>>();

  begin(id: ContainerId): FileUse {
    const use = new Use(() => this.#ended(id, use));
    const uses = this.#uses.get(id);
    if (uses === undefined) this.#uses.set(id, new Set([use]));
    else uses.add(use);
    return use;
  }

  /** Aborts everything that is under way on a container's files, and resolves when it has ended. */
  async end(id: ContainerId): Promise<void> {
    const uses = [...(this.#uses.get(id) ?? [])];
    for (const use of uses) use.abort(new EngineError('conflict', `container ${id} is being removed`));
    await Promise.all(uses.map(({ disposed }) => disposed));
  }

  #ended(id: ContainerId, use: Use): void {
    const uses = this.#uses.get(id);
    uses?.delete(use);
    if (uses?.size === 0) this.#uses.delete(id);
  }
}

class Use implements FileUse {
  readonly #abort = new AbortController();
  readonly #disposed = Promise.withResolvers<void>();
  readonly #onDisposed: () => void;

  constructor(onDisposed: () => void) {
    this.#onDisposed = onDisposed;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get disposed(): Promise<void> {
    return this.#disposed.promise;
  }

  abort(reason: EngineError): void {
    this.#abort.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#onDisposed();
    this.#disposed.resolve();
  }
}
