import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LOOK_AGAIN_MS = 50;
const WITHIN_MS = 30_000;

/** A shell at a real terminal, in a tmux of its own. Disposing ends everything in it. */
export class Tmux implements AsyncDisposable {
  readonly #socket: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#socket = join(directory, 'tmux');
  }

  /** @throws Error when tmux is not there. */
  static async start(size: { readonly rows: number; readonly columns: number }): Promise<Tmux> {
    const tmux = new Tmux(mkdtempSync(join(tmpdir(), 'tmux-')));
    const window = ['-x', String(size.columns), '-y', String(size.rows)];
    await tmux.#ask('-f', '/dev/null', 'new-session', '-d', ...window, 'env PS1="outer$ " sh');
    // Else the window has the size of a client, of which there is none.
    await tmux.#ask('set-option', '-g', 'window-size', 'manual');
    await tmux.until(/outer\$/);
    return tmux;
  }

  /** Types keys, in tmux's words: `C-p`, `Enter`. */
  async keys(...keys: readonly string[]): Promise<void> {
    await this.#ask('send-keys', ...keys);
  }

  /** Types a line. */
  async line(text: string): Promise<void> {
    await this.#ask('send-keys', '-l', text);
    await this.keys('Enter');
  }

  async resize(size: { readonly rows: number; readonly columns: number }): Promise<void> {
    await this.#ask('resize-window', '-x', String(size.columns), '-y', String(size.rows));
  }

  /** What is on the screen and above it. */
  async screen(): Promise<string> {
    return await this.#ask('capture-pane', '-p', '-J', '-S', '-1000');
  }

  /** @throws Error with the screen when it does not show it in time. */
  async until(shown: RegExp): Promise<RegExpMatchArray> {
    const lastLook = performance.now() + WITHIN_MS;
    for (;;) {
      const screen = await this.screen();
      const found = screen.match(shown);
      if (found !== null) return found;
      if (performance.now() > lastLook) throw new Error(`the terminal does not show ${shown}:\n${screen}`);
      await sleep(LOOK_AGAIN_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask('kill-server').catch(() => {});
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #ask(...args: readonly string[]): Promise<string> {
    return (await run('tmux', ['-S', this.#socket, ...args])).stdout;
  }
}
