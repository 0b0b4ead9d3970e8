import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PoolOrder } from './agent-pool.ts';
import { spawnBound } from './bound-child.ts';

const PROGRAM = join(import.meta.dirname, 'agent-pool.ts');

/** A process of agents, `agent-pool.ts`. Disposing ends it. */
export class AgentPool implements AsyncDisposable {
  readonly #child: ChildProcess;
  #times = 0;
  #more = another();

  constructor(order: PoolOrder) {
    const child = spawnBound([PROGRAM], ['pipe', 'pipe', 'inherit']);
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error('a pool of agents without its pipes');
    this.#child = child;
    stdin.end(JSON.stringify(order));
    createInterface(stdout).on('line', () => {
      this.#times += 1;
      this.#more.resolve();
      this.#more = another();
    });
    child.once('exit', () => this.#more.reject(new Error('a pool of agents ended')));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when all of its agents are linked for the so-and-so-many-th time. */
  async linked(times: number): Promise<void> {
    while (this.#times < times) await this.#more.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** Its rejection is told to whoever waits, and to nobody else. */
function another(): PromiseWithResolvers<void> {
  const more = Promise.withResolvers<void>();
  more.promise.catch(() => {});
  return more;
}
