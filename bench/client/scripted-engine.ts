/** An engine of canned logs, as fast as a socket takes them: what is measured against it is the client alone. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

/** A log in frames of one size. */
export interface FramedLog {
  readonly frameBytes: number;
  readonly frames: number;
}

/** 256 MiB in frames of 32 KiB, as a program that copies a file makes them. */
export const BIG: FramedLog = { frameBytes: 32 * 1024, frames: 8 * 1024 };
/** Frames of two bytes, as a program that writes character by character makes them, in a single write. */
export const SMALL: FramedLog = { frameBytes: 2, frames: 200_000 };

const PIECE_BYTES = 1024 * 1024;

/** Containers by the log that each has; `endless` goes on until nobody reads any more. */
const LOGS: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
  big: (response) => send(response, BIG, BIG.frameBytes * BIG.frames),
  small: async (response) => void response.end(framesOf(SMALL.frameBytes, SMALL.frames)),
  endless: (response) => send(response, BIG, Infinity),
};

/** Serves at `socketPath` until disposed. */
export async function scriptedEngine(socketPath: string): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    const [, container = '', asked = ''] = /\/containers\/([a-z]+)\/([a-z]+)/.exec(request.url ?? '') ?? [];
    response.setHeader('Api-Version', '1.44');
    if (asked === 'logs') void answerLog(response, container);
    else if (asked === 'json') response.end(JSON.stringify({ Id: container, Config: { Tty: false }, State: {} }));
    else response.end('OK');
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answerLog(response: ServerResponse, container: string): Promise<void> {
  response.setHeader('Content-Type', 'application/vnd.docker.multiplexed-stream');
  response.on('error', () => {});
  await LOGS[container]?.(response);
}

async function send(response: ServerResponse, { frameBytes }: FramedLog, bytes: number): Promise<void> {
  const piece = framesOf(frameBytes, PIECE_BYTES / frameBytes);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for (let sent = 0; sent < bytes && !gone.signal.aborted; sent += PIECE_BYTES) {
    if (!response.write(piece)) await once(response, 'drain', { signal: gone.signal }).catch(() => {});
  }
  response.end();
}

/** Alternately of both streams. */
function framesOf(frameBytes: number, count: number): Buffer {
  const all = Buffer.alloc((8 + frameBytes) * count, 'x');
  for (let at = 0, frame = 0; frame < count; frame += 1, at += 8 + frameBytes) {
    all.writeUInt32BE(((frame % 2) + 1) * 0x1000000, at);
    all.writeUInt32BE(frameBytes, at + 4);
  }
  return all;
}
