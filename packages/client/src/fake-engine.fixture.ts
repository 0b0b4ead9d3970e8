import { createServer, type Server } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair, type Duplex } from 'node:stream';
import { Client, connect } from './client.ts';
import type { MonotonicClock } from './deadlines/monotonic-clock.ts';
import type { Transport } from './transport/transport.ts';

/** One request as the fake engine got it. `rest` is everything behind the head that has arrived. */
export interface FakeRequest {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly socket: Duplex;
  /** Everything the client sends from now on, to its half-close. */
  readonly rest: () => Promise<string>;
}

/** Answers one request by writing to `request.socket`. */
export type FakeAnswer = (request: FakeRequest) => void | Promise<void>;

/** An engine of scripted answers behind an in-memory transport: byte by byte what a test wants it to say. */
export class FakeEngine implements Transport {
  readonly requests: FakeRequest[] = [];
  readonly sockets: Duplex[] = [];
  /** What it says it is. */
  readonly server: string;
  readonly #answer: FakeAnswer;

  constructor(answer: FakeAnswer, server = 'Fake/1') {
    this.#answer = answer;
    this.server = server;
  }

  describe(): string {
    return 'fake://engine';
  }

  async dial(signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const [ours, theirs] = duplexPair();
    // As on a socket: what one side destroys, the other sees as a broken connection.
    ours.on('close', () => theirs.destroy());
    theirs.on('error', () => {});
    this.sockets.push(ours);
    // A client that destroys its side ends the serving of it.
    this.#serve(theirs).catch(() => {});
    return ours;
  }

  async client(): Promise<Client> {
    return await connect({ transport: this, env: {} });
  }

  /** One whose waits go by `clock`. */
  clientOn(clock: MonotonicClock): Client {
    return new Client(this, { pinned: undefined, userAgent: 'test/1', env: {}, clock });
  }

  /** The same engine behind a real unix socket: what the kernel buffers and closes is real then. */
  async listen(): Promise<ListeningEngine> {
    const directory = mkdtempSync(join(tmpdir(), 'fake-'));
    const path = join(directory, 's');
    const open = new Set<Duplex>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket)).on('error', () => {});
      this.#serve(socket).catch(() => {});
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return new ListeningEngine(server, { directory, path, open });
  }

  async #serve(socket: Duplex): Promise<void> {
    let text = '';
    const ended = Promise.withResolvers<void>();
    const rest = async (): Promise<string> => {
      await ended.promise;
      return text;
    };
    // The stream stays ours after its end: the other direction is still open then.
    const chunks: AsyncIterable<Buffer> = socket.iterator({ destroyOnReturn: false });
    for await (const bytes of chunks) {
      text += bytes.toString('latin1');
      for (let taken = this.#take(text); taken !== undefined; taken = this.#take(text)) {
        text = text.slice(taken.length);
        this.#reply({ ...taken.request, socket, rest });
      }
    }
    ended.resolve();
  }

  #reply(request: FakeRequest): void {
    if (request.line.includes(' /_ping ')) {
      request.socket.write(
        `HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nServer: ${this.server}\r\nContent-Length: 0\r\n\r\n`,
      );
      return;
    }
    this.requests.push(request);
    void this.#answer(request);
  }

  #take(text: string): { readonly length: number; readonly request: Omit<FakeRequest, 'socket' | 'rest'> } | undefined {
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const [line = '', ...fields] = text.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 2)]),
    );
    const length = end + 4 + Number(headers['content-length'] ?? 0);
    if (text.length < length) return undefined;
    return { length, request: { line, headers, body: text.slice(end + 4, length) } };
  }
}

interface Listening {
  readonly directory: string;
  readonly path: string;
  readonly open: ReadonlySet<Duplex>;
}

/** A fake engine that can be dialled. Disposing ends its connections. */
export class ListeningEngine implements AsyncDisposable {
  readonly #server: Server;
  readonly #listening: Listening;

  constructor(server: Server, listening: Listening) {
    this.#server = server;
    this.#listening = listening;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#listening.open.size;
  }

  async client(): Promise<Client> {
    return await connect({ host: `unix://${this.#listening.path}`, env: {} });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#listening.open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#listening.directory, { recursive: true, force: true });
  }
}

/** A whole answer with a JSON body. */
export function json(status: string, document: unknown): string {
  const body = `${JSON.stringify(document)}\n`;
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
