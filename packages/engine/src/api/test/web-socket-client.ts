import { createHash, randomBytes } from 'node:crypto';
import type { RawClient } from './raw-client.ts';

export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** One frame as a client sends it; `mask` four bytes, or none to break the protocol. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array | string,
  options: { readonly last?: boolean; readonly mask?: Uint8Array | undefined } = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const { last = true } = options;
  const mask = 'mask' in options ? options.mask : randomBytes(4);
  const first = (last ? 0x80 : 0) | opcode;
  const bit = mask === undefined ? 0 : 0x80;
  const head =
    bytes.length <= 125
      ? Buffer.from([first, bit | bytes.length])
      : bytes.length <= 0xffff
        ? Buffer.from([first, bit | 126, bytes.length >> 8, bytes.length & 0xff])
        : Buffer.concat([Buffer.from([first, bit | 127]), uint64(bytes.length)]);
  const masked = mask === undefined ? bytes : bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([head, mask ?? Buffer.alloc(0), masked]);
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

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
