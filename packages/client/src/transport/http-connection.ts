import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { ByteReader } from './byte-reader.ts';
import { type BodyDecoder, bodyDecoder } from './http-body.ts';
import { formatHead, HEAD_BYTES_MAX, type HttpHead, type HttpRequest, parseHead } from './http-head.ts';
import { Upload } from './upload.ts';

/** Informational answers (`100 Continue`, `103 Early Hints`) in front of the real one; more is nonsense. */
const INFORMATIONAL_MAX = 8;

/** How an exchange ended: whether another one can follow on the same connection. */
export type ExchangeEnd = (reusable: boolean) => void;

/** An answer's head with its body, or with the connection itself. */
export interface Exchanged {
  readonly head: HttpHead;
  readonly body: Readable;
  /** The connection was given over: `body` is the stream itself. */
  readonly taken: boolean;
}

/** One HTTP/1.1 connection, one exchange at a time. Has no limit of time: whoever waits destroys the stream. */
export class HttpConnection {
  readonly stream: Duplex;
  readonly #reader: ByteReader;

  constructor(stream: Duplex) {
    this.stream = stream;
    this.#reader = new ByteReader(stream);
  }

  /**
   * Sends a request and reads the answer's head. The body is sent along while the answer already comes.
   *
   * An engine that answers before it has read everything ends the upload, and that is no failure.
   * @param end is called once, when the body was read or given up, or the connection taken over
   * @throws what went wrong on the connection, or with the body's source; then the stream is destroyed.
   */
  async exchange(request: HttpRequest, mayTake: boolean, end: ExchangeEnd): Promise<Exchanged> {
    const upload = new Upload(this.stream, request.body);
    try {
      const isChunked = upload.isStream && request.headers['Content-Length'] === undefined;
      const headers = isChunked ? { ...request.headers, 'Transfer-Encoding': 'chunked' } : request.headers;
      upload.start(formatHead({ ...request, headers }), isChunked);
      const head = await Promise.race([this.#finalHead(), upload.failed]);
      return this.#answer(request.method, head, { mayTake, upload, end });
    } catch (error) {
      this.stream.destroy();
      throw error;
    }
  }

  /** Calls `gone` when the engine ends the connection while nobody uses it, or says something that nobody asked for. */
  rest(gone: () => void): void {
    hold(this.stream, false);
    this.#reader.watch(gone);
  }

  /** Ends the watch of `rest`. */
  wake(): void {
    hold(this.stream, true);
    this.#reader.watch(undefined);
  }

  #answer(
    method: string,
    head: HttpHead,
    { mayTake, upload, end }: { readonly mayTake: boolean; readonly upload: Upload; readonly end: ExchangeEnd },
  ): Exchanged {
    const { status } = head;
    const decoder = status === 101 ? undefined : bodyDecoder(method, head);
    if (mayTake && (status === 101 || (status === 200 && decoder?.endsWithConnection === true))) {
      this.#reader.release();
      return { head, body: this.stream, taken: true };
    }
    if (status === 101) throw new Error('the engine took the connection over, and nobody had asked it to');
    const finish = (isComplete: boolean): void => {
      const reusable = isComplete && head.keepsAlive && upload.isSent && !this.stream.destroyed;
      if (!reusable) this.stream.destroy();
      end(reusable);
    };
    const body = this.#body(decoder, finish);
    // The source broke off: there will be no answer to what the engine has got.
    upload.failed.catch((error: Error) => body.destroy(error));
    return { head, body, taken: false };
  }

  #body(decoder: BodyDecoder | undefined, finish: (isComplete: boolean) => void): Readable {
    let isComplete = false;
    const complete = (isClean: boolean): void => {
      isComplete = true;
      finish(isClean);
    };
    const body = new Readable({
      read: () => {
        if (decoder === undefined) return;
        this.#next(decoder, body).then(
          (ended) => {
            if (ended === undefined || isComplete || body.destroyed) return;
            complete(ended === 'clean');
            body.push(null);
          },
          (error: Error) => body.destroy(error),
        );
      },
      destroy: (error, done) => {
        if (!isComplete) complete(false);
        done(error);
      },
    });
    // Told to whoever reads; without a listener it would end the process.
    body.on('error', () => {});
    if (decoder === undefined) {
      complete(true);
      body.push(null);
    }
    return body;
  }

  /** Hands on what the next bytes hold. @returns at the end: whether the connection can go on. */
  async #next(decoder: BodyDecoder, body: Readable): Promise<'clean' | 'over' | undefined> {
    for (;;) {
      const bytes = await this.#reader.read();
      if (bytes === undefined) {
        if (decoder.endsWithConnection) return 'over';
        throw new Error('the answer was cut off');
      }
      const { pieces, done, rest } = decoder.push(bytes);
      let handedOn = 0;
      for (const piece of pieces) {
        handedOn += piece.length;
        if (piece.length > 0 && !body.destroyed) body.push(piece);
      }
      if (done) return rest.length === 0 ? 'clean' : 'over';
      if (handedOn > 0) return undefined;
    }
  }

  async #finalHead(): Promise<HttpHead> {
    for (let count = 0; count < INFORMATIONAL_MAX; count += 1) {
      const head = parseHead(await this.#headText());
      if (head.status >= 200 || head.status === 101) return head;
    }
    throw new Error('nothing but informational answers');
  }

  async #headText(): Promise<string> {
    let held: Buffer = Buffer.alloc(0);
    for (;;) {
      const bytes = await this.#reader.read();
      if (bytes === undefined) throw new Error(held.length === 0 ? 'socket hang up' : 'the head was cut off');
      const from = Math.max(0, held.length - 3);
      held =
        held.length === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : Buffer.concat([held, bytes]);
      const end = held.indexOf('\r\n\r\n', from);
      if (end !== -1) {
        this.#reader.putBack(held.subarray(end + 4));
        return held.subarray(0, end).toString('latin1');
      }
      if (held.length > HEAD_BYTES_MAX) throw new Error(`a head of more than ${HEAD_BYTES_MAX} bytes`);
    }
  }
}

/** Whether an open connection keeps the process alive: an idle one must not. Not every stream knows how. */
function hold(stream: Duplex, isHeld: boolean): void {
  const method: unknown = Reflect.get(stream, isHeld ? 'ref' : 'unref');
  if (typeof method === 'function') Reflect.apply(method, stream, []);
}
