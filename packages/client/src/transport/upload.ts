import type { Duplex } from 'node:stream';
import type { HttpRequest } from './http-head.ts';

/** The sending half of an exchange. */
export class Upload {
  /** The body comes in pieces, and its length is not known beforehand. */
  readonly isStream: boolean;
  /** Rejects when the body's source breaks off; what goes wrong with the connection is for its reader to tell. */
  readonly failed: Promise<never>;
  readonly #stream: Duplex;
  readonly #body: HttpRequest['body'];
  readonly #fail: (cause: unknown) => void;
  #isSent = false;

  constructor(stream: Duplex, body: HttpRequest['body']) {
    this.#stream = stream;
    this.#body = body;
    this.isStream = body !== undefined && typeof body !== 'string';
    const failure = Promise.withResolvers<never>();
    this.failed = failure.promise;
    this.failed.catch(() => {});
    this.#fail = (cause) => failure.reject(cause instanceof Error ? cause : new Error(String(cause), { cause }));
  }

  /** Everything was handed to the connection. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Sends the head, and the body behind it. Does not wait: what it meets is in `failed`. */
  start(head: string, isChunked: boolean): void {
    const body = this.#body;
    if (body === undefined || typeof body === 'string') {
      // One write, one packet.
      this.#stream.write(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '', 'utf8')]));
      this.#isSent = true;
      return;
    }
    this.#stream.write(head, 'latin1');
    void this.#send(body, isChunked);
  }

  async #send(body: AsyncIterable<Uint8Array>, isChunked: boolean): Promise<void> {
    try {
      for await (const bytes of body) {
        if (!this.#stream.writable) return;
        // An empty chunk would be the last one.
        if (bytes.length > 0 && !(await this.#write(isChunked ? chunk(bytes) : [bytes]))) return;
      }
    } catch (cause) {
      this.#fail(cause);
      return;
    }
    if (!isChunked || (await this.#write([Buffer.from('0\r\n\r\n')]))) this.#isSent = true;
  }

  /** @returns false when the connection takes no more. */
  #write(parts: readonly Uint8Array[]): Promise<boolean> {
    const stream = this.#stream;
    const written = Promise.withResolvers<boolean>();
    // A stream that is destroyed need not call back.
    const onClose = (): void => written.resolve(false);
    stream.once('close', onClose);
    stream.cork();
    for (const [at, part] of parts.entries()) {
      stream.write(part, (error) => {
        if (error !== null && error !== undefined) written.resolve(false);
        else if (at === parts.length - 1) written.resolve(true);
      });
    }
    stream.uncork();
    return written.promise.finally(() => stream.off('close', onClose));
  }
}

function chunk(bytes: Uint8Array): readonly Uint8Array[] {
  return [Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1'), bytes, CRLF];
}

const CRLF: Uint8Array = Buffer.from('\r\n', 'latin1');
