import { Agent, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { PassThrough, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Hands requests on to the engine as they are, and its answers back as they come. */
export class EngineForwarder implements Disposable {
  readonly #dial: (signal: AbortSignal) => Promise<Duplex>;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #leaving = new AbortController();

  constructor(dial: (signal: AbortSignal) => Promise<Duplex>) {
    this.#dial = dial;
    this.#agent.createConnection = (_, callback) => {
      dial(this.#leaving.signal).then(
        (socket) => callback?.(null, socket),
        // The type wants a stream beside the error; Node does not look at it.
        (error: Error) => callback?.(error, new PassThrough()),
      );
      return undefined;
    };
  }

  [Symbol.dispose](): void {
    this.#leaving.abort(new Error('the agent is leaving'));
    this.#agent.destroy();
  }

  /**
   * One request. When the caller hangs up the engine sees that, too.
   *
   * @param body instead of the request's own, which was read already; undefined: that one, as it comes
   * @throws EngineUnreachableError and whatever else happens before the answer's head.
   */
  async forward(request: IncomingMessage, answer: ServerResponse, body: string | undefined): Promise<void> {
    const { method = 'GET', url = '/', rawHeaders } = request;
    const headers = body === undefined ? [...rawHeaders] : withLengthOf(rawHeaders, body);
    const sent = httpRequest({ method, path: url, headers, agent: this.#agent, setHost: false });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    const hangUp = (): void => void (answer.writableFinished || sent.destroy());
    answer.once('close', hangUp);
    if (body === undefined) pipeline(request, sent).catch((error: Error) => sent.destroy(error));
    else sent.end(body);
    const told = await answered;
    answer.writeHead(told.statusCode ?? 502, told.statusMessage, told.rawHeaders);
    // A wait's head comes long before its body.
    answer.flushHeaders();
    await pipeline(told, answer);
    answer.off('close', hangUp);
  }

  /** A request that takes the connection: from here on bytes pass as they are. @throws EngineUnreachableError */
  async forwardUpgrade(request: IncomingMessage, connection: Duplex, head: Uint8Array): Promise<void> {
    const { method = 'GET', url = '/', rawHeaders } = request;
    const engine = await this.#dial(this.#leaving.signal);
    const lines = [`${method} ${url} HTTP/1.1`];
    for (let at = 0; at < rawHeaders.length; at += 2)
      lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
    engine.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    // A body that came along is still unread: it is the engine's to read.
    if (head.length > 0) engine.write(head);
    // A half-close passes as one; what breaks on one side breaks the other.
    const passing = [pipeline(connection, engine, { end: true }), pipeline(engine, connection, { end: true })];
    await Promise.allSettled(passing);
  }
}

function withLengthOf(rawHeaders: readonly string[], body: string): string[] {
  const headers: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!/^(content-length|transfer-encoding)$/i.test(name)) headers.push(name, value);
  }
  return [...headers, 'Content-Length', String(Buffer.byteLength(body))];
}
