/** Waiting behind what runs on one container. More are refused. */
export const LANE_QUEUE_MAX = 64;

/** Something that runs on a container, one after the other with all others of that container. */
export interface LaneTask {
  readonly operationId: string;
  /** Two tasks with the same non-empty key do the same: the second one may share the first one's end. */
  readonly shareKey: string;
  /** It may run beside a task that `canBeOvertaken`. */
  readonly overtakes: boolean;
  canBeOvertaken(): boolean;
  /** Its turn: the lane is held until it resolves, or calls `release`. It does not reject. */
  run(release: () => void): Promise<void>;
}

/** How a task entered: it waits for its turn, it is to share another one's end, it runs already, or there is no room. */
export type Entered =
  | { readonly as: 'queued' | 'running' | 'overtaking' | 'refused' }
  | { readonly as: 'sharing'; readonly leader: LaneTask };

interface Lane {
  readonly keys: Set<string>;
  readonly queue: LaneTask[];
  running: LaneTask | undefined;
}

/**
 * One lane per container: what is done to it is done in the order of arrival. A container is known by any of its keys, its id and
 * its names; one that does not exist yet has a lane by its name.
 */
export class Lanes {
  readonly #byKey = new Map<string, Lane>();
  readonly #running = new Set<Promise<void>>();

  /** Enters the lane that any of `keys` names, which all of them name from now on. */
  enter(keys: readonly string[], task: LaneTask): Entered {
    const lane = this.#laneOf(keys);
    const { running, queue } = lane;
    const last = queue.at(-1) ?? running;
    if (task.shareKey !== '' && last?.shareKey === task.shareKey) return { as: 'sharing', leader: last };
    if (task.overtakes && running?.canBeOvertaken() === true) {
      this.#keep(task.run(() => {}));
      return { as: 'overtaking' };
    }
    if (queue.length >= LANE_QUEUE_MAX) return { as: 'refused' };
    queue.push(task);
    this.#pump(lane);
    return { as: lane.running === task ? 'running' : 'queued' };
  }

  /** The lane of a key gets another one: a container was made, or has a new name. */
  alias(key: string, another: string): void {
    const lane = this.#byKey.get(key);
    if (lane !== undefined && !this.#byKey.has(another)) this.#name(lane, another);
  }

  /** Takes a task out that still waits. @returns false when it does not. */
  leave(operationId: string): boolean {
    for (const lane of new Set(this.#byKey.values())) {
      const at = lane.queue.findIndex((task) => task.operationId === operationId);
      if (at === -1) continue;
      lane.queue.splice(at, 1);
      return true;
    }
    return false;
  }

  /** Containers with something running or waiting. */
  get size(): number {
    return new Set(this.#byKey.values()).size;
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #laneOf(keys: readonly string[]): Lane {
    const known = keys.map((key) => this.#byKey.get(key)).find((lane) => lane !== undefined);
    const lane = known ?? { keys: new Set<string>(), queue: [], running: undefined };
    for (const key of keys) if (!this.#byKey.has(key)) this.#name(lane, key);
    return lane;
  }

  #name(lane: Lane, key: string): void {
    this.#byKey.set(key, lane);
    lane.keys.add(key);
  }

  #pump(lane: Lane): void {
    if (lane.running !== undefined) return;
    const task = lane.queue.shift();
    lane.running = task;
    if (task === undefined) {
      for (const key of lane.keys) this.#byKey.delete(key);
      return;
    }
    const release = (): void => {
      if (lane.running !== task) return;
      lane.running = undefined;
      this.#pump(lane);
    };
    this.#keep(task.run(release).finally(release));
  }

  #keep(run: Promise<void>): void {
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }
}
