import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FakeAnswer, FakeEngine, json } from '../fake-engine.fixture.ts';

/** The head of a hijacked stream, as engines send it to those who asked to upgrade. */
export const UPGRADED =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
/** And to those who did not; some engines send it always. */
export const PLAIN: string = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n';
/** The head of a body that ends with the connection. */
export const UNTIL_CLOSED = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n';
/** The id of every exec of these engines. */
export const EXEC_ID: string = 'e'.repeat(64);

/** An engine that makes an exec of anything, starts it with `start`, and says of it what `inspected` says, in turn, then exit code 3. */
export function execEngine(start: FakeAnswer, inspected: readonly object[] = []): FakeEngine {
  let asked = 0;
  return new FakeEngine((request) => {
    const { line, socket } = request;
    if (line.startsWith('GET ')) {
      socket.write(json('200 OK', inspected[asked] ?? { Running: false, ExitCode: 3 }));
      asked += 1;
      return undefined;
    }
    if (!line.includes('/start ')) return void socket.write(json('201 Created', { Id: EXEC_ID }));
    return start(request);
  });
}

/** An engine with one container whose log is what `write` writes. */
export function logEngine(tty: boolean, write: (socket: Duplex) => void): FakeEngine {
  return new FakeEngine(({ line, socket }) => {
    if (line.includes('/json ')) return void socket.write(json('200 OK', { Config: { Tty: tty } }));
    return write(socket);
  });
}

/** Writes the same piece again and again, waiting for room each time. @returns how many were taken so far. */
export function pump(socket: Duplex, piece: Uint8Array, times: number): { readonly taken: () => number } {
  let taken = 0;
  const run = async (): Promise<void> => {
    for (; taken < times && !socket.destroyed; taken += 1) if (!socket.write(piece)) await once(socket, 'drain');
    socket.end();
  };
  run().catch(() => {});
  return { taken: () => taken };
}

/** Looks until it is so, 10 s at most. */
export async function eventually(isSo: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (isSo()) return true;
    await sleep(10);
  }
  return false;
}
