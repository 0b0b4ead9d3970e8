import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { PassThrough, type Duplex, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Transport } from './transport.ts';

// `import … from 'node:http'` costs 45 ms at start, because naming a builtin's exports loads all of undici; this 5 ms.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** JSON text, or bytes sent as they come. */
  readonly body: string | AsyncIterable<Uint8Array> | undefined;
}

/** The head of an answer, and its body still to be read. Whoever gets it reads `body` to its end or destroys it. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** An answer that turned the connection into a two-way stream. */
export interface HijackedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly output: Readable;
  /** `end()` is the half-close. */
  readonly input: Writable;
}

/** What the connection itself did wrong, before the answer's head was there. `cause` is Node's error. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken';
  /** An idle connection was used again, and the engine had closed it meanwhile. */
  readonly wasIdle: boolean;

  constructor(cause: Error, wasIdle: boolean) {
    super(cause.message, { cause });
    this.wasIdle = wasIdle;
  }
}

/** HTTP/1.1 over a transport: idle connections are used again; no time limit of its own anywhere. */
export class HttpConnections implements Disposable {
  readonly #transport: Transport;
  readonly #agent: Agent;
  readonly #dialing = new AbortController();

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#agent = new HttpAgent({ keepAlive: true });
    this.#agent.createConnection = (_, callback) => {
      transport.dial(this.#dialing.signal).then(
        (socket) => callback?.(null, withSocketMethods(socket)),
        // The type wants a stream beside the error; Node does not look at it.
        (error: Error) => callback?.(error, new PassThrough()),
      );
      return undefined;
    };
  }

  /**
   * Sends a request and resolves with the answer's head.
   *
   * @throws EngineUnreachableError, ConnectionBroken; the signal's reason when aborted, which also frees the connection.
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const sent = httpRequest({
      method: request.method,
      path: request.path,
      headers: request.headers,
      agent: this.#agent,
    });
    const answered = answerOf(sent, signal);
    await upload(sent, request.body, answered);
    return await answered;
  }

  /**
   * Sends a request that asks for the connection itself.
   *
   * @returns the two-way stream (101, or 200 from engines that do not upgrade), or a plain answer with another status.
   */
  async hijack(request: HttpRequest, signal: AbortSignal): Promise<HijackedAnswer | HttpAnswer> {
    const socket = withSocketMethods(await this.#transport.dial(signal));
    const sent = httpRequest({
      method: request.method,
      path: request.path,
      headers: { ...request.headers, Connection: 'Upgrade', Upgrade: 'tcp' },
      createConnection: () => socket,
    });
    const upgraded = upgradeOf(sent);
    const answered = answerOf(sent, signal);
    // Whichever comes second is settled by the same end of the connection; nobody is left to hear it.
    answered.catch(() => {});
    await upload(sent, request.body, answered);
    const answer = await Promise.race([upgraded, answered]);
    if ('output' in answer || answer.status !== 200) return answer;
    return { status: answer.status, headers: answer.headers, output: answer.body, input: socket };
  }

  [Symbol.dispose](): void {
    this.#dialing.abort(new Error('the client was closed'));
    this.#agent.destroy();
  }
}

/** Node's HTTP client calls methods of `net.Socket` on whatever it is given; a tunnel's stream has nothing behind them. */
function withSocketMethods(stream: Duplex): Duplex {
  for (const name of ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref']) {
    if (!(name in stream)) Object.defineProperty(stream, name, { value: () => stream });
  }
  return stream;
}

function answerOf(sent: ClientRequest, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const abort = (): void => void sent.destroy(signal.reason instanceof Error ? signal.reason : undefined);
    signal.addEventListener('abort', abort, { once: true });
    // The signal ends the body as well, so the listener stays until the connection is done with.
    sent.once('close', () => {
      signal.removeEventListener('abort', abort);
      // Node is silent when the answer is an upgrade that nobody asked for.
      reject(failureOf(new Error('the connection was closed'), sent, signal));
    });
    sent.once('response', (message: IncomingMessage) => {
      const { statusCode = 0, headers } = message;
      resolve({ status: statusCode, headers, body: message });
    });
    sent.on('error', (error) => reject(failureOf(error, sent, signal)));
  });
}

function failureOf(error: Error, sent: ClientRequest, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  // The transport's own refusals pass; everything else happened on an open connection.
  return error.name === 'EngineError' ? error : new ConnectionBroken(error, sent.reusedSocket);
}

function upgradeOf(sent: ClientRequest): Promise<HijackedAnswer> {
  return new Promise((resolve) => {
    sent.once('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
      // A connection that breaks later is told to whoever reads; without a listener it would end the process.
      socket.on('error', () => {});
      if (head.length > 0) socket.unshift(head);
      resolve({ status: message.statusCode ?? 101, headers: message.headers, output: socket, input: socket });
    });
  });
}

/** Sends the body. An engine that answers before it has read everything ends the upload, and that is not a failure. */
async function upload(sent: ClientRequest, body: HttpRequest['body'], answered: Promise<HttpAnswer>): Promise<void> {
  if (body === undefined || typeof body === 'string') {
    sent.end(body);
    return;
  }
  const early = answered.then(
    () => undefined,
    () => undefined,
  );
  const source = new SourceErrors();
  const sending = pipeline(source.watch(body), sent).catch(() => {
    // What went wrong with the connection is told by `answered`; with the source, only here.
    if (source.failure !== undefined) throw source.failure;
  });
  await Promise.race([sending, early]);
  sending.catch(() => {});
}

/** Tells a source that fails from a connection that fails: a pipeline rejects for both. */
class SourceErrors {
  failure: Error | undefined;

  async *watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (cause) {
      this.failure = cause instanceof Error ? cause : new Error(String(cause), { cause });
      throw cause;
    }
  }
}
