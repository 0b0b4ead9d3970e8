import { connect, type Socket } from 'node:net';

/** One answer, byte for byte in `head`, decoded in `body`. */
export interface RawAnswer {
  readonly status: number;
  /** Up to and with the empty line. */
  readonly head: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A client that says exactly what it is told, and half-closes only when it is told. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error']) {
      this.socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  /** Everything received and not taken. */
  get pending(): Buffer {
    return this.#merge();
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  halfClose(): this {
    this.socket.end();
    return this;
  }

  /** Takes bytes up to and with `end`. */
  async until(end: string): Promise<string> {
    for (;;) {
      const at = this.#merge().indexOf(end);
      if (at >= 0) return this.take(at + end.length).toString();
      await this.#more(`"${end}"`);
    }
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#merge().length < count) await this.#more(`${count} bytes`);
    return this.take(count);
  }

  /** Takes everything until the server half-closes. */
  async toEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#next();
    return this.take(this.#merge().length);
  }

  /** Takes one whole answer; one without a body for HEAD. */
  async answer(method = 'GET'): Promise<RawAnswer> {
    const head = await this.until('\r\n\r\n');
    const [statusLine = '', ...lines] = head.trimEnd().split('\r\n');
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    const status = Number(statusLine.split(' ')[1]);
    const isEmpty = method === 'HEAD' || status === 204 || status === 304;
    const body = isEmpty ? '' : await this.#body(headers);
    return { status, head, headers, body };
  }

  take(count: number): Buffer {
    const received = this.#merge();
    this.#chunks = [received.subarray(count)];
    return received.subarray(0, count);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #body(headers: ReadonlyMap<string, string>): Promise<string> {
    const length = headers.get('content-length');
    if (length !== undefined) return (await this.bytes(Number(length))).toString();
    if (headers.get('transfer-encoding') !== 'chunked') return (await this.toEnd()).toString();
    const parts: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.until('\r\n'), 16);
      parts.push(await this.bytes(size));
      await this.until('\r\n');
      if (size === 0) return Buffer.concat(parts).toString();
    }
  }

  #merge(): Buffer {
    const received = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    const merged = received ?? Buffer.concat(this.#chunks);
    this.#chunks = [merged];
    return merged;
  }

  async #more(what: string): Promise<void> {
    if (this.#ended)
      throw new Error(`The connection ended before ${what}; got ${JSON.stringify(this.#merge().toString())}`);
    await this.#next();
  }

  async #next(): Promise<void> {
    await this.#changed.promise;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
