import type { ContainerId } from '@fairlead/protocol';
import { LateConnection } from './late-connection.ts';
import type { AttachOptions, Console } from '../ports/console.ts';

interface Waiting {
  readonly options: AttachOptions;
  readonly connection: LateConnection;
}

/** Attachers that came before the process: they are connected after it is made and before its first instruction. */
export class Attachments {
  readonly #console: Console;
  readonly #waiting = new Map<ContainerId, Set<Waiting>>();

  constructor(console: Console) {
    this.#console = console;
  }

  /** A connection to the container's next run. */
  await(id: ContainerId, options: AttachOptions): LateConnection {
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting);
    const entry: Waiting = { options, connection: new LateConnection(() => this.#leave(id, entry)) };
    waiting.add(entry);
    return entry.connection;
  }

  /** Called between the making of a process and its start: from here on nothing it writes is missed. */
  async connectAll(id: ContainerId): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    await Promise.all(
      [...waiting].map(async ({ connection, options }) => connection.connect(await this.#console.attach(id, options))),
    );
  }

  /** The container is gone: its waiting attachers end. */
  drop(id: ContainerId): void {
    for (const { connection } of this.#waiting.get(id) ?? []) connection.end();
    this.#waiting.delete(id);
  }

  #leave(id: ContainerId, entry: Waiting): void {
    const waiting = this.#waiting.get(id);
    waiting?.delete(entry);
    if (waiting?.size === 0) this.#waiting.delete(id);
  }
}
