import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** A command that has not ended by then hangs. The longest one waits for a stop of some seconds. */
const END_WITHIN_MS = 60_000;
/** How long an expected output may take by default. */
const SAY_WITHIN_MS = 15_000;

/** How a command ended and what it printed. */
export interface CommandResult {
  /** 128 and the number of the signal for one that was killed, as in a shell. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

/** What to start. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** A command under way. Disposing kills it, if it still runs. */
export class RunningCommand implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #words: string;
  readonly #startedMs = performance.now();
  readonly #said = { stdout: '', stderr: '' };
  readonly #listeners = new Set<() => void>();
  readonly #result: Promise<CommandResult>;
  #ended = false;

  constructor({ program, args, env }: Command) {
    this.#words = [program, ...args].join(' ');
    this.#child = spawn(program, args, { env, stdio: 'pipe' });
    // A command that ends before it has read everything is no failure of the test.
    this.#child.stdin.on('error', () => {});
    this.#result = this.#collect();
    this.#result.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** It has ended, and its output is complete. */
  get isOver(): boolean {
    return this.#ended;
  }

  get stdout(): string {
    return this.#said.stdout;
  }

  get stderr(): string {
    return this.#said.stderr;
  }

  /** Resolves when the command has ended and its output is complete. @throws Error when that takes more than a minute. */
  async result(): Promise<CommandResult> {
    using late = timeout(END_WITHIN_MS);
    const result = await Promise.race([this.#result, late.over]);
    if (result !== undefined) return result;
    this.#child.kill('SIGKILL');
    throw new Error(`${this.#words} did not end within ${END_WITHIN_MS} ms${this.#soFar()}`);
  }

  /** Resolves with the match once the output so far has it. @throws Error when the command ends without, or is silent for too long. */
  async says(
    pattern: RegExp,
    options: { stream?: 'stdout' | 'stderr'; withinMs?: number } = {},
  ): Promise<RegExpMatchArray> {
    const { stream = 'stdout', withinMs = SAY_WITHIN_MS } = options;
    using late = timeout(withinMs);
    for (;;) {
      const found = this.#said[stream].match(pattern);
      if (found !== null) return found;
      if (this.#ended) throw new Error(`${this.#words} ended without saying ${pattern}${this.#soFar()}`);
      const more = Promise.withResolvers<true>();
      const listener = (): void => more.resolve(true);
      this.#listeners.add(listener);
      const heard = await Promise.race([more.promise, late.over]);
      this.#listeners.delete(listener);
      if (heard !== true)
        throw new Error(`${this.#words} did not say ${pattern} within ${withinMs} ms${this.#soFar()}`);
    }
  }

  write(text: string | Uint8Array): void {
    this.#child.stdin.write(text);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.destroy();
    if (!this.#ended) this.#child.kill('SIGKILL');
    await this.#result.catch(() => {});
  }

  async #collect(): Promise<CommandResult> {
    const closed = once(this.#child, 'close');
    await Promise.all([this.#read('stdout', this.#child.stdout), this.#read('stderr', this.#child.stderr)]);
    const [code, signal]: (number | NodeJS.Signals | null)[] = await closed;
    this.#ended = true;
    this.#tell();
    const exitCode = typeof code === 'number' ? code : 128 + (SIGNALS[signal as NodeJS.Signals] ?? 0);
    return { exitCode, ...this.#said, tookMs: performance.now() - this.#startedMs };
  }

  async #read(stream: 'stdout' | 'stderr', output: Readable): Promise<void> {
    output.setEncoding('utf8');
    for await (const text of output) {
      this.#said[stream] += String(text);
      this.#tell();
    }
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #soFar(): string {
    return `\nstdout: ${JSON.stringify(this.#said.stdout)}\nstderr: ${JSON.stringify(this.#said.stderr)}`;
  }
}

function timeout(ms: number): Disposable & { readonly over: Promise<undefined> } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  return { over: promise, [Symbol.dispose]: () => clearTimeout(timer) };
}
