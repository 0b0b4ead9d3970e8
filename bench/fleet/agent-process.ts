import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PoolOrder } from './agent-pool.ts';

const PROGRAM = join(import.meta.dirname, 'agent-pool.ts');

/** A process of agents, `agent-pool.ts`. Disposing ends it. */
export class AgentPool implements AsyncDisposable {
  readonly #child: ChildProcess;
  #times = 0;
  #more = another();

  constructor(order: PoolOrder) {
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    child.stdin.end(JSON.stringify(order));
    createInterface(child.stdout).on('line', () => {
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
