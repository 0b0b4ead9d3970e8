import type * as nodeHttp from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';

/** Not imported: that would load Node's WebSockets as well, in every file of tests. */
const { request }: typeof nodeHttp = process.getBuiltinModule('node:http');

/** An answer with its whole body. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: nodeHttp.IncomingHttpHeaders;
  readonly body: string;
  /** The body as it came. */
  readonly bytes: Buffer;
}

/** What to ask besides method and path. */
export interface HttpQuestion {
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** No answer takes longer, unless the engine has forgotten its client. The longest waits for a stop of some seconds. */
const ANSWER_WITHIN_MS = 60_000;

/** One request over a connection of its own. `target` is method and path, as in `GET /info`. */
export async function ask(socketPath: string, target: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const [method = 'GET', path = '/'] = target.split(' ');
  const body = question.json === undefined ? question.body : JSON.stringify(question.json);
  const headers = {
    ...(question.json === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...question.headers,
  };
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const asked = request({ socketPath, method, path, headers, agent: false }, (answer) => {
    buffer(answer).then(
      (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes.toString(), bytes }),
      reject,
    );
  });
  asked.on('error', reject);
  const timer = setTimeout(
    () => asked.destroy(new Error(`${target} was not answered in ${ANSWER_WITHIN_MS} ms`)),
    ANSWER_WITHIN_MS,
  );
  asked.on('close', () => clearTimeout(timer));
  asked.end(body);
  return await promise;
}

/** Head of an answer, as it came over a raw connection. */
export interface RawHead {
  readonly status: number;
  readonly lines: readonly string[];
}

/** Heads are short; whoever waits for one longer than this waits in vain. */
const HEAD_BYTES_MAX = 64 * 1024;
const READ_WITHIN_MS = 15_000;

/** A connection whose every byte is the test's own: half-closed, cut off, or not read from, as the test likes. */
export class RawConnection implements Disposable {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #unread: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    // Being cut off by the other side is what some tests are about: reading tells.
    socket.on('error', () => {});
  }

  static async open(socketPath: string): Promise<RawConnection> {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  get isClosed(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  /** Sends, and waits until the kernel has taken it. */
  async send(bytes: string | Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.write(bytes, () => resolve());
    await promise;
  }

  /** Sends a request without body; headers are `Name: value`. */
  async request(target: string, ...headers: readonly string[]): Promise<void> {
    await this.send([`${target} HTTP/1.1`, 'Host: docker', ...headers, '', ''].join('\r\n'));
  }

  /** Sends a JSON request that asks to take the connection over. */
  async upgrade(target: string, json: unknown): Promise<void> {
    const body = JSON.stringify(json);
    const headers = [
      'Connection: Upgrade',
      'Upgrade: tcp',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    await this.send([`${target} HTTP/1.1`, 'Host: docker', ...headers, '', body].join('\r\n'));
  }

  /** @throws Error when the connection ends within the head, or there is none in 15 s. */
  async head(): Promise<RawHead> {
    for (;;) {
      const end = this.#unread.indexOf('\r\n\r\n');
      if (end >= 0) {
        const lines = this.#unread.subarray(0, end).toString().split('\r\n');
        this.#unread = this.#unread.subarray(end + 4);
        return { status: Number(lines[0]?.split(' ')[1]), lines };
      }
      const chunk = await this.#next(READ_WITHIN_MS);
      if (chunk === undefined)
        throw new Error(`the connection ended within a head: ${JSON.stringify(this.#unread.toString())}`);
      this.#unread = Buffer.concat([this.#unread, chunk]);
      if (this.#unread.length > HEAD_BYTES_MAX) throw new Error('no end of a head');
    }
  }

  /** The next bytes; undefined at the end. @throws Error after 15 s without any. */
  async read(withinMs: number = READ_WITHIN_MS): Promise<Buffer | undefined> {
    return this.#unread.length > 0 ? this.#take() : await this.#next(withinMs);
  }

  /** All that is still to come. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk;
  }

  /** No more is sent; answers still come. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Gone, from one moment to the other. */
  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #next(withinMs: number): Promise<Buffer | undefined> {
    const timer = setTimeout(() => this.#socket.destroy(new Error(`nothing came for ${withinMs} ms`)), withinMs);
    try {
      const { done, value } = await this.#chunks.next();
      return done === true ? undefined : value;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(): Buffer {
    const bytes = this.#unread;
    this.#unread = Buffer.alloc(0);
    return bytes;
  }
}
