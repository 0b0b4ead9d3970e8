import { Worker } from 'node:worker_threads';

/** As JavaScript in a string: the bundle is one file, and this runs out of it as well. */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(workerData);
  database.exec('PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0');
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  parentPort.on('message', () => parentPort.postMessage(checkpoint.get().log));
`;

/**
 * Puts what SQLite's log holds into its place, on a thread of its own: that writes thousands of pages and waits for the disk twice, 20 ms
 * every time, and 200 ms on a disk that is busy. Whoever writes meanwhile goes on.
 *
 * Nothing depends on it but the length of the log.
 */
export class Checkpoints implements AsyncDisposable {
  readonly #thread: Worker;
  #underWay: PromiseWithResolvers<number> | undefined;
  #isGone = false;

  constructor(path: string) {
    this.#thread = new Worker(THREAD, { eval: true, workerData: path });
    this.#thread.unref();
    this.#thread.on('message', (pages: number) => this.#done(pages));
    this.#thread.on('error', () => this.#gone());
    this.#thread.on('exit', () => this.#gone());
  }

  /** One is under way, or there will be none any more: the connection that writes sees to its log itself. */
  get isBusy(): boolean {
    return this.#isGone || this.#underWay !== undefined;
  }

  /** Resolves when what was in the log is in its place, as far as nobody reads it, with how many pages the log had; 0 when it did not work. */
  async run(): Promise<number> {
    if (this.isBusy) return 0;
    this.#underWay = Promise.withResolvers<number>();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    this.#thread.postMessage('checkpoint');
    return await this.#underWay.promise;
  }

  /** Resolves when the thread, and its hold on the files, is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
  }

  #done(pages: number): void {
    this.#underWay?.resolve(pages);
    this.#underWay = undefined;
  }

  #gone(): void {
    this.#isGone = true;
    this.#done(0);
  }
}
