import { createHash } from 'node:crypto';
import type { RawClient } from './raw-client.ts';

export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Takes one frame of the server: never masked. */
export async function serverFrame(client: RawClient): Promise<ReceivedFrame> {
  const [first = 0, short = 0] = await client.bytes(2);
  const length =
    short === 126
      ? (await client.bytes(2)).readUInt16BE()
      : short === 127
        ? Number((await client.bytes(8)).readBigUInt64BE())
        : short;
  return { opcode: first & 0x0f, payload: await client.bytes(length) };
}

/** The request of a handshake. */
export function handshakeRequest(path: string, ...headers: readonly string[]): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: docker',
    'Upgrade: websocket',
    'Connection: keep-alive, Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** What the server has to answer to `handshakeRequest`. Source: the example of RFC 6455, 1.3. */
export const ACCEPTED: string = createHash('sha1')
  .update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64');
