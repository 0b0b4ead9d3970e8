import type { Writable } from 'node:stream';

/** Resolves when the bytes have left this process. @throws the stream's error, EPIPE among them. */
export function writeAll(stream: Writable, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
