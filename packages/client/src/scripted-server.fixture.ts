import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is said to a request without body, by its first line: a whole answer, or nothing. */
export type ScriptedAnswer = (line: string) => string;

/** A server behind a real unix socket that answers every request, pings too, as a test wants. Can go away and come back. */
export class ScriptedServer implements AsyncDisposable {
  readonly host: string;
  readonly #directory: string;
  readonly #answer: ScriptedAnswer;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #received = '';

  private constructor(directory: string, answer: ScriptedAnswer) {
    this.#directory = directory;
    this.#answer = answer;
    this.host = `unix://${join(directory, 's')}`;
  }

  static async open(answer: ScriptedAnswer): Promise<ScriptedServer> {
    const server = new ScriptedServer(mkdtempSync(join(tmpdir(), 'scripted-')), answer);
    await server.#listen();
    return server;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#open.size;
  }

  /** Everything that was ever sent to it. */
  get received(): string {
    return this.#received;
  }

  /** Goes away, and comes back at the same address after `between`. */
  async restart(between: () => void): Promise<void> {
    await this.#close();
    between();
    await this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    rmSync(this.#directory, { recursive: true });
  }

  async #listen(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#open.add(socket);
      socket.on('error', () => {}).on('close', () => this.#open.delete(socket));
      this.#serve(socket).catch(() => {});
    }).listen(join(this.#directory, 's'));
    await once(this.#server, 'listening');
  }

  async #close(): Promise<void> {
    const closed = this.#server === undefined ? undefined : once(this.#server, 'close');
    this.#server?.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    let text = '';
    const chunks: AsyncIterable<Buffer> = socket;
    for await (const bytes of chunks) {
      this.#received += bytes.toString('latin1');
      text += bytes.toString('latin1');
      for (let end = endOf(text); end !== undefined; end = endOf(text)) {
        socket.write(this.#answer(text.slice(0, text.indexOf('\r\n'))));
        text = text.slice(end);
      }
    }
  }
}

/** Where the first request ends; undefined while it is not complete. */
function endOf(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, head))?.[1] ?? '0';
  const end = head + 4 + Number(length);
  return text.length < end ? undefined : end;
}
