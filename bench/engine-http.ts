/** The bench's own client: the least that speaks to a Docker engine, so that every engine pays the same for it. */
import { Agent, request, type RequestOptions } from 'node:http';
import { connect } from 'node:net';

/** The API version that every engine measured here speaks. */
const API_VERSION = 'v1.41';

/** Longer response heads are a bug. */
const HEAD_BYTES_MAX = 16 * 1024;

/** One engine behind a unix socket. */
export interface EngineHttp {
  /** Sends a request and returns its decoded answer; text that is not JSON comes back as it is. @throws Error with status and body when it is refused. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Sends a request whose answer is a hijacked stream, and counts its bytes until the engine closes it. */
  hijack(path: string, body: unknown, onHead?: () => void): Promise<number>;
  /** Uploads bytes. */
  upload(path: string, bytes: Uint8Array): Promise<void>;
  close(): void;
}

/** Talks to the engine at `socketPath` over kept-alive connections. */
export function engineHttp(socketPath: string): EngineHttp {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    call: async (method, path, body) => {
      const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      return decoded(await send({ socketPath, agent, method, path: `/${API_VERSION}${path}` }, payload));
    },
    hijack: (path, body, onHead) =>
      hijack(socketPath, { path: `/${API_VERSION}${path}`, body, onHead: onHead ?? (() => {}) }),
    upload: async (path, bytes) => {
      await send({ socketPath, agent, method: 'POST', path: `/${API_VERSION}${path}` }, bytes);
    },
    close: () => agent.destroy(),
  };
}

/** @throws Error with status and body when the engine refuses. */
function send(options: RequestOptions, payload: Uint8Array | undefined): Promise<string> {
  // Engines look at the type of JSON bodies only; an archive's may be anything.
  const headers =
    payload === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': payload.byteLength };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 0) < 400) resolve(text);
        else reject(new Error(`${options.method} ${options.path}: ${response.statusCode} ${text.trim()}`));
      });
    });
    sent.on('error', reject);
    sent.end(payload);
  });
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface Hijack {
  readonly path: string;
  readonly body: unknown;
  readonly onHead: () => void;
}

/** Docker's CLI asks for an upgrade and keeps both directions open until the engine closes. */
function hijack(socketPath: string, { path, body, onHead }: Hijack): Promise<number> {
  const payload = JSON.stringify(body ?? {});
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: engine',
    'Connection: Upgrade',
    'Upgrade: tcp',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(payload)}`,
  ];
  return new Promise((resolve, reject) => {
    let headText: string | undefined = '';
    let bytes = 0;
    const receive = (received: number, buffer: Uint8Array): boolean => {
      if (headText === undefined) {
        bytes += received;
        return true;
      }
      headText += Buffer.from(buffer.subarray(0, received)).toString('latin1');
      const end = headText.indexOf('\r\n\r\n');
      if (end < 0 && headText.length < HEAD_BYTES_MAX) return true;
      const status = Number(headText.split(' ', 2)[1]);
      if (status !== 101 && status !== 200) {
        socket.destroy(new Error(`POST ${path}: ${headText}`));
        return false;
      }
      bytes += headText.length - end - 4;
      headText = undefined;
      onHead();
      return true;
    };
    const socket = connect({ path: socketPath, onread: { buffer: Buffer.allocUnsafe(256 * 1024), callback: receive } });
    socket.on('error', reject);
    socket.on('close', () => resolve(bytes));
    socket.on('end', () => socket.destroy());
    socket.write(`${head.join('\r\n')}\r\n\r\n${payload}`);
  });
}
