import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** What a program of Node's that is to be inspected is started with: the inspector itself starts when it is asked for. */
export const INSPECTABLE: readonly string[] = ['--inspect-port=127.0.0.1:0'];

/** Bytes of a heap in which nothing is left that nobody holds, and of what it holds outside of itself (buffers). */
export interface HeapBytes {
  readonly heapBytes: number;
  readonly externalBytes: number;
}

/** A program of Node's that was started with `INSPECTABLE`. Its standard error is read here, for as long as it runs. */
export class Inspectable {
  readonly #program: ChildProcess;
  readonly #url = Promise.withResolvers<string>();

  constructor(program: ChildProcess, errors: Readable) {
    this.#program = program;
    void this.#listen(errors);
  }

  async attach(): Promise<Inspected> {
    this.#program.kill('SIGUSR1');
    return await Inspected.open(await this.#url.promise);
  }

  async #listen(errors: Readable): Promise<void> {
    for await (const line of createInterface(errors)) {
      const url = /ws:\/\/\S+/.exec(line)?.[0];
      if (url !== undefined) this.#url.resolve(url);
    }
  }
}

/** A running program, asked through its own inspector. Disposing lets it go; it runs on. */
export class Inspected implements Disposable {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown };
      if (id !== undefined) this.#answers.get(id)?.(result);
    });
  }

  static async open(url: string): Promise<Inspected> {
    const socket = new WebSocket(url);
    await new Promise((resolve) => void socket.addEventListener('open', resolve, { once: true }));
    return new Inspected(socket);
  }

  /** Collects all garbage, and weighs what is left. */
  async heap(): Promise<HeapBytes> {
    // Twice: the first round runs finalisers, whose garbage the second one finds.
    for (let round = 0; round < 2; round += 1) await this.ask('HeapProfiler.collectGarbage');
    const evaluated = (await this.ask('Runtime.evaluate', {
      expression: '(({ heapUsed, external }) => ({ heapUsed, external }))(process.memoryUsage())',
      returnByValue: true,
    })) as { readonly result: { readonly value: { readonly heapUsed: number; readonly external: number } } };
    const { heapUsed, external } = evaluated.result.value;
    return { heapBytes: heapUsed, externalBytes: external };
  }

  /** One method of the inspector's protocol. */
  async ask(method: string, params: object = {}): Promise<unknown> {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise((resolve) => void this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return await answer.finally(() => this.#answers.delete(id));
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
