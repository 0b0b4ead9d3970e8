import { ANSWER_BYTES_MAX, byteChunks, kindOf } from '../call.ts';
import { trustDocument } from '../codec/json.ts';
import { EngineUnreachableError } from '../errors.ts';
import { ConnectionBroken, type HttpAnswer, HttpConnections } from '../transport/http-connections.ts';
import type { Transport } from '../transport/transport.ts';
import { refusalIn } from './hub-refusal.ts';
import { SessionKeeper } from './session-keeper.ts';
import { HubConnectionLostError, HubRefusedError, HubUnreachableError } from './hub-errors.ts';

/** One request to the hub. */
export interface HubCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** Requests to a hub, with a user's token. Disposing cuts what is open. */
export class HubCalls implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #connections: HttpConnections;
  readonly #token: string | undefined;

  constructor(transport: Transport, token: string | undefined) {
    this.#transport = transport;
    this.#connections = new HttpConnections(transport);
    this.#token = token;
  }

  /** Keeps sessions on connections of this hub. */
  get sessions(): SessionKeeper {
    return new SessionKeeper({
      connections: this.#connections,
      target: { hub: this.#transport, token: this.#token },
    });
  }

  /** As a person would write it. */
  get address(): string {
    return this.#transport.describe();
  }

  /** Asks, and reads the whole answer. @throws HubRefusedError, HubUnreachableError, HubConnectionLostError; the signal's reason */
  async ask<T>(call: HubCall, signal: AbortSignal): Promise<T> {
    const answer = await this.open(call, signal);
    const text = await this.#read(answer, call, signal);
    return trustDocument<T>(parseAnswer(text, call));
  }

  /** Asks, and gives the answer's body to be read as it comes. The signal ends it also later. @throws as `ask` does */
  async open(call: HubCall, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const answer = await this.#send(call, signal);
    if (answer.status < 300) return answer;
    const text = await this.#read(answer, call, signal);
    throw refusal(answer.status, text, call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
    await this.#transport[Symbol.asyncDispose]?.();
  }

  async #send(call: HubCall, signal: AbortSignal): Promise<HttpAnswer> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const request = {
      method: call.method,
      path: pathOf(call),
      headers: {
        Host: 'hub',
        Authorization: this.#token === undefined ? undefined : `Bearer ${this.#token}`,
        'Content-Type': body === undefined ? undefined : 'application/json',
        'Content-Length': call.method === 'GET' ? undefined : Buffer.byteLength(body ?? ''),
        ...call.headers,
      },
      body,
    };
    try {
      return await this.#connections.send(request, signal);
    } catch (cause) {
      if (cause instanceof EngineUnreachableError) throw new HubUnreachableError(cause);
      throw cause instanceof ConnectionBroken ? new HubConnectionLostError(wordsFor(call), cause) : cause;
    }
  }

  async #read(answer: HttpAnswer, call: HubCall, signal: AbortSignal): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of byteChunks(answer.body)) {
        bytes += chunk.byteLength;
        if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
        chunks.push(chunk);
      }
    } catch (cause) {
      signal.throwIfAborted();
      throw new HubConnectionLostError(wordsFor(call), cause);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

function pathOf({ path, query = {} }: HubCall): string {
  const asked = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  );
  return asked.length === 0 ? path : `${path}?${new URLSearchParams(asked).toString()}`;
}

function parseAnswer(text: string, call: HubCall): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HubConnectionLostError(wordsFor(call), cause);
  }
}

function refusal(httpStatus: number, text: string, call: HubCall): HubRefusedError {
  const { code, message } = refusalIn(text, `the hub answered ${httpStatus} to ${wordsFor(call)}`);
  return new HubRefusedError(kindOf(httpStatus), message, { code, httpStatus });
}

function wordsFor({ method, path }: HubCall): string {
  return `${method} ${path}`;
}
