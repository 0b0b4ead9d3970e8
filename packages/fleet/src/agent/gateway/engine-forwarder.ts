import { Agent, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { PassThrough, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { closeWhenAnswered } from '../../lib/close-when-answered.ts';
import { oneOf } from '../../lib/one-of.ts';

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
    // Nothing becomes a stream here, whatever the caller asked for.
    const asked = without(rawHeaders, /^upgrade$/i);
    const headers = body === undefined ? asked : withLengthOf(asked, body);
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
    // An error is followed by 'close', and that is what is listened to.
    for (const stream of [engine, connection]) stream.on('error', () => {});
    const lines = [`${method} ${url} HTTP/1.1`];
    for (let at = 0; at < rawHeaders.length; at += 2)
      lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
    engine.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    // The body is still unread: it is the engine's to read, and so is everything behind it once the engine has upgraded.
    if (head.length > 0) connection.unshift(head);
    connection.once('close', () => engine.destroy());
    for (let left = Number(request.headers['content-length'] ?? 0); left > 0;) {
      const bytes = await nextBytes(connection, left);
      if (bytes === undefined) return void engine.destroy();
      if (!engine.write(bytes)) await oneOf(engine, ['drain', 'close']);
      left -= bytes.length;
    }
    const told = await nextHead(engine);
    if (!takesConnection(told)) {
      // It goes on speaking HTTP, and what came next would be judged by nobody: nothing does.
      engine.end();
      connection.resume();
      connection.write(
        told.replace(/\r\nConnection:[^\r]*/i, '').replace('\r\n', '\r\nConnection: close\r\n'),
        'latin1',
      );
      return await pipeline(engine, connection).finally(() => closeWhenAnswered(connection));
    }
    connection.write(told, 'latin1');
    // A half-close passes as one; what breaks on one side breaks the other.
    const passing = [pipeline(connection, engine, { end: true }), pipeline(engine, connection, { end: true })];
    await Promise.allSettled(passing);
  }
}

/** Whether bytes pass as they are behind this head. It is a 200 for who did not ask to upgrade; a detached exec's is one as well. */
function takesConnection(head: string): boolean {
  if (head.startsWith('HTTP/1.1 101 ')) return true;
  const isStream = /\r\nContent-Type: application\/vnd\.docker\.(raw|multiplexed)-stream\r\n/i.test(head);
  return head.startsWith('HTTP/1.1 200 ') && isStream && !/\r\n(Content-Length|Transfer-Encoding):/i.test(head);
}

/** Heads of engines are short. */
const HEAD_BYTES_MAX: number = 64 * 1024;

/** The head of an answer, with its empty line; as far as it came. What follows is still to be read. */
async function nextHead(stream: Duplex): Promise<string> {
  let head = '';
  while (head.length < HEAD_BYTES_MAX) {
    const bytes = await nextBytes(stream, HEAD_BYTES_MAX);
    if (bytes === undefined) return head;
    head += Buffer.from(bytes).toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) continue;
    const rest = Buffer.from(head.slice(end + 4), 'latin1');
    if (rest.length > 0) stream.unshift(rest);
    return head.slice(0, end + 4);
  }
  return head;
}

/** The next bytes of a stream, `maxBytes` at most; undefined when there are none any more. */
async function nextBytes(stream: Duplex, maxBytes: number): Promise<Uint8Array | undefined> {
  while (!stream.readableEnded && !stream.destroyed) {
    const bytes: unknown = stream.read(Math.min(maxBytes, stream.readableLength || 1));
    if (bytes instanceof Uint8Array) return bytes;
    await oneOf(stream, ['readable', 'end', 'close']);
  }
  return undefined;
}

function withLengthOf(rawHeaders: readonly string[], body: string): string[] {
  const headers = without(rawHeaders, /^(content-length|transfer-encoding)$/i);
  return [...headers, 'Content-Length', String(Buffer.byteLength(body))];
}

function without(rawHeaders: readonly string[], names: RegExp): string[] {
  const headers: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!names.test(name)) headers.push(name, value);
  }
  return headers;
}
