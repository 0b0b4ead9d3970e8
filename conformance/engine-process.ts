import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './raw-http.ts';

/** How long an engine may take from its start to its first answer. Measured: Fairlead 0.4 s, dockerd 1 to 4 s on two cores. */
const START_WITHIN_MS = 60_000;
/** How long it may take to leave after SIGTERM. dockerd stops its containers first, 15 s at most, then containerd. */
const LEAVE_WITHIN_MS = 30_000;
const POLL_MS = 20;
const LOG_LINES_SHOWN = 15;

/** How to start an engine in the foreground. */
export interface EngineProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly socketPath: string;
  readonly logPath: string;
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** An engine that runs as a process of its own and has answered. Disposing asks it to leave. */
export class EngineProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#ended = once(child, 'exit').catch(() => {});
  }

  /** @throws Error with the end of its log when it does not answer. */
  static async start({ program, args, socketPath, logPath, env }: EngineProgram): Promise<EngineProcess> {
    const log = openSync(logPath, 'a');
    const child = spawn(program, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    closeSync(log);
    const started = new EngineProcess(child);
    const until = performance.now() + START_WITHIN_MS;
    while (!(await answers(socketPath))) {
      if (started.#isOver || performance.now() > until) {
        await started[Symbol.asyncDispose]();
        const tail = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
        throw new Error(`${program} does not answer on ${socketPath}:\n${tail}`);
      }
      await sleep(POLL_MS);
    }
    return started;
  }

  /** Ends it as a power cut would: no notice, no clean-up. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Resolves when it has ended by itself; `false` when it has not within so many milliseconds. */
  async endsWithin(ms: number): Promise<boolean> {
    const late = new AbortController();
    const ended = await Promise.race([this.#ended.then(() => true), sleep(ms, false, { signal: late.signal })]);
    late.abort();
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#child.kill('SIGTERM');
    const late = sleep(LEAVE_WITHIN_MS, 'late', { ref: false });
    if ((await Promise.race([this.#ended, late])) === 'late') await this.kill();
  }

  get #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }
}

async function answers(socketPath: string): Promise<boolean> {
  return await ask(socketPath, 'GET /_ping').then(
    ({ status }) => status === 200,
    () => false,
  );
}
